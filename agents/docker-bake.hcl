# The images, one target each. From the project's root:
#   docker buildx bake --file agents/docker-bake.hcl

# The registry's name; none for this machine only.
variable "REGISTRY" {
  default = ""
}

# A tag that stays with these images, and the version in their labels.
variable "VERSION" {
  default = "0.0.0"
}

# The commit in their labels.
variable "REVISION" {
  default = "unknown"
}

# A tag that moves on: what the parameter ImageTag of a deployment says.
variable "IMAGE_TAG" {
  default = "latest"
}

function "tags" {
  params = [name]
  result = [
    for tag in distinct([VERSION, IMAGE_TAG]) : join("/", compact([REGISTRY, "outpost-${name}:${tag}"]))
  ]
}

group "default" {
  targets = ["base", "aider", "claude", "codex", "gemini", "grok", "shell"]
}

target "_image" {
  context   = "agents"
  platforms = ["linux/amd64", "linux/arm64"]
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
}

target "_agent" {
  inherits = ["_image"]
  contexts = { outpost-base = "target:base" }
}

target "base" {
  inherits   = ["_image"]
  dockerfile = "base/Dockerfile"
  tags       = tags("base")
}

target "aider" {
  inherits   = ["_agent"]
  dockerfile = "aider/Dockerfile"
  tags       = tags("aider")
}

target "claude" {
  inherits   = ["_agent"]
  dockerfile = "claude/Dockerfile"
  tags       = tags("claude")
}

target "codex" {
  inherits   = ["_agent"]
  dockerfile = "codex/Dockerfile"
  tags       = tags("codex")
}

target "gemini" {
  inherits   = ["_agent"]
  dockerfile = "gemini/Dockerfile"
  tags       = tags("gemini")
}

target "grok" {
  inherits   = ["_agent"]
  dockerfile = "grok/Dockerfile"
  tags       = tags("grok")
  # Its lock has no other build.
  platforms = ["linux/amd64"]
}

target "shell" {
  inherits   = ["_agent"]
  dockerfile = "shell/Dockerfile"
  tags       = tags("shell")
}
