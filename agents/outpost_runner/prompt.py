"""Makes the text that an agent's model begins with: where it is, what the repository says of itself, and the task."""

from outpost_runner.context import Context

# It comes first whatever the task is, so that no command line takes the caller's words for an option or a command.
BEGINNING = "You are a coding agent at work on one task."
SURROUNDINGS = (
    "You work alone and unattended: nobody reads along and nobody answers questions, so decide for yourself and carry "
    "the task through. You are in a container of your own and may do anything inside it: run programs, install what "
    "you need, change any file."
)
REPOSITORY = (
    "The working directory is a checkout of the repository. Make your changes to its files and leave them there, "
    "uncommitted or committed; they are taken from there. You cannot push."
)
EMPTY_DIRECTORY = (
    "The working directory is empty. Put what you make into it and leave it there; it is taken from there."
)
EARLIER_WORK = (
    "The working directory holds the work of an earlier run. Go on from there and leave your own work there too, "
    "uncommitted or committed; it is taken from there. You cannot push."
)
ENDING = (
    "Put files that are for the caller, but not a part of the work itself, into the folder that the environment "
    "variable OUTPOST_ARTIFACTS_DIR names. End with a short summary of what you did."
)


def make_prompt(
    task: str, context: Context, background: str = "", *, has_repository: bool, has_earlier_work: bool = False
) -> str:
    """The whole text; it ends with the caller's own words as they are."""
    place = REPOSITORY if has_repository else EMPTY_DIRECTORY
    introduction = " ".join((BEGINNING, SURROUNDINGS, EARLIER_WORK if has_earlier_work else place, ENDING))
    parts = [introduction, context.text, background, f"Task:\n{task}"]
    return "\n\n".join(part for part in parts if part)
