#!/usr/bin/env bash
# Builds every image for its architectures and pushes it to the account's registry, under two tags: VERSION, which
# stays with it, and the one that the environment's tasks run, so that its next runs use it. An environment that is
# held at a version keeps that: a version's tag never moves.
#   VERSION=1.2.3 REVISION=abc agents/push-images.sh ENV
set -euo pipefail
environment=$1
[[ $VERSION != *-dirty ]] || { echo "push-images.sh: commit first: $VERSION must stay what it is" >&2; exit 1; }
repository=$(aws ecr describe-repositories --repository-names outpost-base \
  --query 'repositories[0].repositoryUri' --output text)
REGISTRY=${repository%/outpost-base}
IMAGE_TAG=$(aws cloudformation describe-stacks --stack-name "outpost-$environment" \
  --query "Stacks[0].Parameters[?ParameterKey=='ImageTag'].ParameterValue | [0]" --output text)
if [[ $IMAGE_TAG =~ ^v?[0-9] ]]; then
  echo "$environment is held at $IMAGE_TAG, and stays there"
  IMAGE_TAG=$VERSION
fi
export REGISTRY IMAGE_TAG
aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"
docker buildx bake --file agents/docker-bake.hcl --push
