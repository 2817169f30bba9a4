"""The keys of a rule set's file in tables: what each holds, and one line of help. The reader, the JSON Schema and the
reference page are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PREFIX = "a text"
SUFFIXES = "a list of suffixes, or `any`"
PATTERNS = "a list of patterns"
SIZE = "a size"
BUCKET = "a bucket"
SWITCH = "true or false"
DERIVATIVES = "a list of derivatives"
EXAMPLES = "keys with lists of keys"
ON_REMOVE = "keep or delete"
FOLDER = "a folder"
NAME = "a name"
TEMPLATE = "a key template"
RULE = "a processing rule"
STYLE = "the name of a style"
STEPS = "a list of steps"


class Key(NamedTuple):
    """`kind` is one of the constants above; `filled`: an empty list is a fault; `default` is said in words."""

    kind: str
    help: str
    default: str = ""
    filled: bool = False
    required: bool = False


RULE_SET_KEYS: Mapping[str, Key] = {
    "prefix": Key(PREFIX, "Only sources whose key begins with this; no leading slash.", "every key"),
    "suffixes": Key(SUFFIXES, "Only sources whose key ends in one of these; A-Z and a-z are the same.",
                    "CI's image formats", filled=True),
    "include": Key(PATTERNS, "Only sources whose whole key matches one of these.", "every key", filled=True),
    "exclude": Key(PATTERNS, "No source whose whole key matches one of these.", "none"),
    "min_size": Key(SIZE, "Only sources of at least so many bytes.", "0"),
    "max_size": Key(SIZE, "Only sources of at most so many bytes.", "no limit"),
    "bucket": Key(BUCKET, "Only sources in this bucket.", "every bucket that triggers the function"),
    "final": Key(SWITCH, "No rule set after this one, in the order of matching, for a source that this one matches.",
                 "false"),
    "chained": Key(SWITCH, "Its sources may be derivatives of other rule sets, as long as the chain ends.", "false"),
    "immutable": Key(SWITCH, "Sources are never overwritten: saves the HEAD that looks for it.", "false"),
    "manifest": Key(TEMPLATE, "Where a JSON object goes that lists the source and its derivatives.", "none is written"),
    "on_remove": Key(ON_REMOVE, "What becomes of the derivatives when the source is removed; only what is proved to be "
                     "ours is deleted.", "keep"),
    "on_failure": Key(FOLDER, "Where one small JSON record goes for each source of which a derivative failed.",
                      "none is written"),
    "derivatives": Key(DERIVATIVES, "What is made of each source.", filled=True, required=True),
    "examples": Key(EXAMPLES, "A source key: the keys of all its derivatives by this rule set. Lint checks them.",
                    "none"),
}  # fmt: skip

DERIVATIVE_KEYS: Mapping[str, Key] = {
    "name": Key(NAME, "Names the derivative in logs and outcomes: a-z, 0-9, `_` and `-`; once in a rule set.",
                required=True),
    "to": Key(TEMPLATE, "Where the derivative goes: with a leading slash a whole key, without one beside the source.",
              required=True),
    "bucket": Key(BUCKET, "The bucket that it goes to.", "that of the source"),
    "rule": Key(RULE, "How it is made, in CI's own language."),
    "style": Key(STYLE, "How it is made: a style that is saved on the bucket."),
    "steps": Key(STEPS, "How it is made, step by step; compiled to CI's language.", filled=True),
    "keep_original_on_error": Key(SWITCH, "Allows ignore-error/1: where CI fails it stores the source itself.",
                                  "false"),
}  # fmt: skip

ON_REMOVE_WORDS = ("keep", "delete")

WAYS = ("rule", "style", "steps")
"""A derivative has exactly one of these."""

# Regular expressions that Python and JSON Schema read alike; the whole text has to match.
NAME_PATTERN = r"[a-z0-9_-]+"
BUCKET_PATTERN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?-[0-9]+"
SIZE_PATTERN = r"(0|[1-9][0-9]{0,14})( ?([KMGTkmgt][Ii]?[Bb]|[Bb]))?"
SUFFIX_PATTERN = r"\.[^/]+"
ROOTLESS_PATTERN = r"([^/][\s\S]*)?"
"""Texts without a leading slash."""
FOLDER_PATTERN = r"/([^/{}]+/)+"
KEY_PATTERN = r"[^/][\s\S]*"
