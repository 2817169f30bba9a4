"""One rule set file: its content -> RuleSet, and every fault in it. Imported only where a file is read."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional, Union

from derivo import globs, keys, rulekeys
from derivo.ci import Problem, check, check_steps, compile_steps, formats, parse, spec_digest, texts, to_text
from derivo.ci.tree import Rule, Style
from derivo.matching import lower_ascii
from derivo.reading import Reader, TooMany, cut, nearest
from derivo.rulekeys import DERIVATIVE_KEYS, RULE_SET_KEYS, WAYS
from derivo.rulesets import ERROR, Derivative, Example, Fault, RuleSet, Where
from derivo.yamlmarks import FILE_BYTES, Mapping, Scalar, Sequence, Yaml, YamlFault, compose, decode, lines

_NAME = re.compile(rulekeys.NAME_PATTERN)
_FOLDER = re.compile(rulekeys.FOLDER_PATTERN)
_BUCKET = re.compile(rulekeys.BUCKET_PATTERN)
_SUFFIX = re.compile(rulekeys.SUFFIX_PATTERN)
_ROOTLESS = re.compile(rulekeys.ROOTLESS_PATTERN)
_KEY = re.compile(rulekeys.KEY_PATTERN)


def read_file(path: Path) -> tuple[Optional[RuleSet], tuple[Fault, ...]]:
    """Read a file. One that is too large is refused by its size, unread."""
    try:
        size = path.stat().st_size
        if size <= FILE_BYTES:
            with path.open("rb") as stream:
                return read_content(stream.read(FILE_BYTES + 1), str(path))
        problem = YamlFault("RS101", f"the file has {size} bytes, more than {FILE_BYTES}", mend="split it up")
    except OSError as error:
        problem = YamlFault("RS113", error.strerror or "the file cannot be read")
    return None, (_file_fault(problem, str(path), []),)


def read_content(content: bytes, file: str) -> tuple[Optional[RuleSet], tuple[Fault, ...]]:
    """The rule set, or None when a fault is an error; the faults in the order of the file."""
    shown: list[str] = []
    try:
        shown = lines(content[:FILE_BYTES].decode("utf-8-sig", "replace"))
        root = compose(decode(content))
        if root is None or (isinstance(root, Scalar) and root.kind == "null"):
            raise YamlFault("RS110", "the file holds no rule set")
    except YamlFault as fault:
        return None, (_file_fault(fault, file, shown),)
    reader = _RuleFile(file, shown)
    try:
        made = reader.rule_set(root)
    except TooMany:
        made = None
    found = tuple(sorted(reader.faults, key=lambda f: (f.where.line, f.where.column)))
    return (None if any(f.level == ERROR for f in found) else made), found


def _file_fault(fault: YamlFault, file: str, shown: list[str]) -> Fault:
    line = shown[fault.line - 1] if 0 < fault.line <= len(shown) else ""
    return Fault(
        code=fault.code,
        level=ERROR,
        message=fault.message,
        where=Where(file, fault.line, fault.column),
        mend=fault.mend,
        source_line=cut(line, fault.column),
    )


class _RuleFile(Reader):
    """Reads one file. A method returns None for what it could not read, after saying why."""

    def __init__(self, file: str, shown: list[str]) -> None:
        super().__init__(file, shown)
        self.names: dict[str, int] = {}

    def rule_set(self, root: Yaml) -> Optional[RuleSet]:
        found = self.known(root, "a rule set", RULE_SET_KEYS)
        if found is None:
            return None
        made: dict[str, Any] = {}
        for name, node in found.items():
            read = self._readers().get(RULE_SET_KEYS[name].kind)
            value = read(node, name) if read else None
            if value is not None:
                made[name] = value
        made["suffixes"] = self._suffixes(found.get("suffixes"))
        made["derivatives"] = self._derivatives(root, found.get("derivatives"), made["suffixes"])
        smallest, largest = made.get("min_size"), made.get("max_size")
        if smallest is not None and largest is not None and smallest > largest:
            self.say("RS211", found["min_size"], f"min_size {smallest} is over max_size {largest}: no source fits")
        return RuleSet(name=Path(self.file).stem, where=Where(self.file, root.line, root.column), **made)

    def _readers(self) -> dict[str, Callable[[Yaml, str], Any]]:
        """Kind -> what reads it: all but suffixes, whose absence means something, and the derivatives made of them."""
        return {
            rulekeys.PREFIX: self._prefix,
            rulekeys.PATTERNS: self._patterns,
            rulekeys.SIZE: self.size,
            rulekeys.BUCKET: self._bucket,
            rulekeys.SWITCH: self.truth,
            rulekeys.EXAMPLES: self._examples,
            rulekeys.TEMPLATE: self._manifest,
            rulekeys.ON_REMOVE: self._on_remove,
            rulekeys.FOLDER: self._folder,
        }

    def _prefix(self, node: Yaml, what: str) -> Optional[str]:
        text = self.text(node, what)
        return text if text is None or self._rootless(node, text, "a prefix") else None

    def _rootless(self, node: Yaml, text: str, what: str) -> bool:
        if _ROOTLESS.fullmatch(text):
            return True
        mend = f"write {texts.quoted(text.lstrip('/'))}"
        self.say("RS304", node, f"{what} has no leading slash: the keys of objects have none", mend)
        return False

    def _patterns(self, node: Yaml, what: str) -> tuple[globs.Glob, ...]:
        if RULE_SET_KEYS[what].filled and isinstance(node, Sequence) and not node.items:
            self.say("RS206", node, f"an empty list of patterns to {what}: no source fits", "leave it out")
        return self.listed(node, what, self._glob)

    def _glob(self, node: Yaml) -> Optional[globs.Glob]:
        text = self.text(node, "a pattern")
        if text is None or not self._rootless(node, text, "a pattern"):
            return None
        try:
            return globs.parse(text)
        except globs.GlobError as error:
            if isinstance(node, Scalar):
                self.say_inside("RS302", node, error.offset, str(error))
            return None

    def _bucket(self, node: Yaml, what: str) -> Optional[str]:
        text = self.text(node, what)
        if text is None or _BUCKET.fullmatch(text):
            return text
        self.say("RS210", node, "a bucket is named with its appid, such as photos-1250000000")
        return None

    def _suffixes(self, node: Optional[Yaml]) -> Optional[tuple[str, ...]]:
        if node is None:
            return formats.SOURCE_SUFFIXES
        if isinstance(node, Scalar) and node.value == "any":
            return None
        if isinstance(node, Sequence) and not node.items:
            self.say("RS206", node, "an empty list of suffixes: no source fits", "leave it out, or write `any`")
        if isinstance(node, Scalar):
            self.say("RS201", node, "suffixes is a list, or `any`", f"write [{texts.quoted(node.value)[1:-1]}]")
            return ()
        return tuple(dict.fromkeys(self.listed(node, "suffixes", self._suffix)))

    def _suffix(self, node: Yaml) -> Optional[str]:
        text = self.text(node, "a suffix")
        if text is None:
            return None
        if _SUFFIX.fullmatch(text):
            return lower_ascii(text)
        mend = f"write .{text.lstrip('*.')}" if text.strip("*./") and "/" not in text else None
        self.say("RS303", node, "a suffix begins with a dot and has no slash, such as .jpg", mend)
        return None

    def _examples(self, node: Yaml, what: str) -> Optional[tuple[Example, ...]]:
        made = []
        for key, (place, value) in (self.pairs(node, what) or {}).items():
            expected = self.listed(value, "the keys expected", partial(self._expected, key))
            if self._example_key(place) is not None:
                made.append(Example(key=key, expected=expected, where=self.where(place)))
        return tuple(made)

    def _expected(self, source_key: str, node: Yaml) -> Optional[str]:
        text = self._example_key(node)
        defect = keys.defect(text, source_key) if text is not None else None
        if defect is not None:
            self.say("RS307", node, f"no derivative can have this key: {defect[1]}")
        return text

    def _example_key(self, node: Yaml) -> Optional[str]:
        text = self.text(node, "a key")
        if text is None or _KEY.fullmatch(text):
            return text
        mend = f"write {texts.quoted(text.lstrip('/'))}" if text.strip("/") else None
        self.say("RS305", node, "a key is not empty and has no leading slash", mend)
        return None

    # --- derivatives ------------------------------------------------------------------------------------------------

    def _derivatives(
        self, root: Yaml, node: Optional[Yaml], suffixes: Optional[tuple[str, ...]]
    ) -> tuple[Derivative, ...]:
        if node is None:
            self.say("RS203", root, "`derivatives` is missing: a rule set says what to make")
            return ()
        if isinstance(node, Sequence) and not node.items:
            self.say("RS206", node, "an empty list of derivatives: the rule set makes nothing")
        return self.listed(node, "derivatives", lambda item: self._derivative(item, suffixes))

    def _derivative(self, node: Yaml, suffixes: Optional[tuple[str, ...]]) -> Optional[Derivative]:
        found = self.known(node, "a derivative", DERIVATIVE_KEYS)
        if found is None:
            return None
        for needed, key in DERIVATIVE_KEYS.items():
            if key.required and needed not in found:
                self.say("RS203", node, f"`{needed}` is missing in a derivative")
        name = self._name(found["name"]) if "name" in found else None
        to = self._template(found["to"], "to") if "to" in found else None
        bucket = self._bucket(found["bucket"], "bucket") if "bucket" in found else None
        keep = "keep_original_on_error"
        kept = bool(self.truth(found[keep], keep)) if keep in found else False
        ways = [way for way in WAYS if way in found]
        if len(ways) != 1:
            said = " and ".join(f"`{way}`" for way in ways) or "none"
            self.say("RS209", node, f"a derivative has one of `rule`, `style` and `steps`; here is {said}")
        known = {
            "key_extension": keys.extension(to) if to else None,
            "source_suffixes": suffixes or None,
            "keep_original_on_error": kept,
        }
        rules = [self._processing(found[way], way, known) for way in ways]
        if name is None or to is None or len(rules) != 1 or rules[0] is None:
            return None
        return Derivative(
            name=name,
            to=to,
            rule=rules[0],
            spec=spec_digest(rules[0]),
            bucket=bucket,
            keep_original_on_error=kept,
            where=Where(self.file, node.line, node.column),
            rule_where=self.where(found[ways[0]]),
        )

    def _processing(self, node: Yaml, way: str, known: dict[str, Any]) -> Optional[Rule]:
        """The rule, whichever way it is written, checked against what is known of its sources and its key."""
        if way == "steps":
            return self._steps(node, known)
        text = self.text(node, way)
        if text is None or not isinstance(node, Scalar):
            return None
        if way == "style":
            rule = Rule((Style(text),))
            if parse(to_text(rule)).rule != rule:
                self.say("RS306", node, f"{texts.quoted(text)} cannot be the name of a style", "give the bare name")
                return None
            for problem in check(rule, **known):
                self._problem(node, problem)
            return rule
        parsed = parse(text)
        checked = check(parsed.rule, spans=parsed.spans, **known) if parsed.rule else ()
        for problem in (*parsed.problems, *checked):
            self._problem(node, problem, problem.start, problem.end)
        return parsed.rule

    def _steps(self, node: Yaml, known: dict[str, Any]) -> Optional[Rule]:
        compiled = compile_steps(self.plain(node))
        for found in (*compiled.problems, *check_steps(compiled, **known)):
            # an unknown name is shown itself, a bad value where it stands
            self._problem(_at(node, found.path, names=found.problem.code == "CI602"), found.problem)
        return compiled.rule

    def _problem(self, node: Yaml, problem: Problem, start: int = 0, end: int = 0) -> None:
        """Pass on a problem of the CI language; `start` and `end` count in the node's value."""
        column, length = node.column, node.length if isinstance(node, Scalar) else 1
        if end:
            inner = node.inner if isinstance(node, Scalar) else None
            column, length = (inner + start, max(end - start, 1)) if inner else (column, 1)
        mend = f"write {problem.mend}" if problem.mend else None
        self.say_at(problem.code, node.line, column, length, problem.message, mend, problem.level)

    def _name(self, node: Yaml) -> Optional[str]:
        text = self.text(node, "name")
        if text is None:
            return None
        if not _NAME.fullmatch(text):
            mend = re.sub("[^a-z0-9_-]+", "-", text[:40].lower()).strip("-")
            message = "a derivative's name is made of a-z, 0-9, `_` and `-`"
            self.say("RS207", node, message, f"write {mend}" if mend else None)
        elif text in self.names:
            self.say("RS208", node, f"a second derivative `{text}`; the first is in line {self.names[text]}")
        self.names.setdefault(text, node.line)
        return text

    def _on_remove(self, node: Yaml, what: str) -> Optional[str]:
        text = self.text(node, what)
        if text is None or text in rulekeys.ON_REMOVE_WORDS:
            return text
        self.say("RS201", node, f"{what} is {rulekeys.ON_REMOVE}", nearest(text, rulekeys.ON_REMOVE_WORDS))
        return None

    def _folder(self, node: Yaml, what: str) -> Optional[str]:
        text = self.text(node, what)
        if text is None or (_FOLDER.fullmatch(text) and not {".", ".."} & set(text.split("/"))):
            return text
        self.say("RS309", node, f"{what} is a folder, with a slash before and after it, such as /failures/")
        return None

    def _manifest(self, node: Yaml, what: str) -> Optional[keys.KeyTemplate]:
        template = self._template(node, what)
        of_one = {keys.DERIVATIVE, keys.SPEC}
        if template and any(isinstance(part, keys.Variable) and part.name in of_one for part in template.parts):
            self.say("RS308", node, "one manifest serves all derivatives: its key holds no {derivative} and no {spec}")
            return None
        return template

    def _template(self, node: Yaml, what: str) -> Optional[keys.KeyTemplate]:
        text = self.text(node, what)
        try:
            return None if text is None else keys.parse(text)
        except keys.TemplateError as error:
            assert isinstance(node, Scalar)
            self.say_inside("RS301", node, error.offset, str(error), error.mend or None)
            return None


def _at(node: Yaml, path: tuple[Union[int, str], ...], *, names: bool) -> Yaml:
    """The node under a path of indices and names; the name instead of its value if asked for or where the value is a
    collection, which begins somewhere below."""
    place = node
    for step in path:
        if isinstance(step, int) and isinstance(node, Sequence) and step < len(node.items):
            place = node = node.items[step]
        elif isinstance(node, Mapping):
            for key, value in node.pairs:
                if isinstance(key, Scalar) and key.value == step:
                    node = value
                    place = value if isinstance(value, Scalar) and not names else key
                    break
    return place
