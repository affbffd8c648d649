"""XML Schemas made from the published element trees: what samples are tried with, beside our own schemas.

A tree states element, cardinality (`?`, `*`, `+`, none), type and enumeration, one line each, indented; `^` repeats a
type, `@ref` is an attribute, `[X]` a vendor's own element, `-> x:Name` a global element of another namespace.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from iec61968.editions import Edition

FAMILY = "http://iec.ch/TC57/2011"
TREES = Path("../shared/profiles")
ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
PRIMITIVE = ("string", "boolean", "integer", "float", "dateTime", "date", "time", "QName")
FLOATS = (
    *("Voltage", "CurrentFlow", "ActivePower", "RealEnergy", "PerCent", "Seconds", "Minutes", "Money", "Temperature"),
    "FloatQuantity",
)
UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
OCCURS = {"": "", "?": ' minOccurs="0"', "*": ' minOccurs="0" maxOccurs="unbounded"', "+": ' maxOccurs="unbounded"'}
LINE = re.compile(
    r"(?P<name>[\w<>#. ]+?|-> \w+:\w+)(?P<mark>[?*+]?)(?: \[X\])?(?: ?:(?: (?P<type>\w+)|string))?"
    r"(?: @(?P<attribute>\w+))?(?: (?P<again>\^))?(?: \{(?P<words>[^}]*)\})?"
)


@dataclass
class Node:
    """One line of a tree and what is below it."""

    name: str
    mark: str
    type: str = ""
    words: tuple[str, ...] = ()
    again: bool = False
    attribute: str = ""
    plain_id: bool = False
    below: list["Node"] = field(default_factory=list)


def tree(file: Path) -> tuple[str, list[Node]]:
    """Return namespace and top-level nodes of a tree file."""
    head, *lines = file.read_text().splitlines()
    roots: list[Node] = []
    path: list[Node] = []
    for line in filter(None, lines):
        depth = (len(line) - len(line.lstrip())) // 2
        text = line.strip()
        found = LINE.fullmatch(text.removeprefix("TYPE "))
        assert found, text
        words = tuple((found["words"] or "").split("|")) if found["words"] else ()
        node = Node(
            found["name"].strip(),
            found["mark"],
            found["type"] or "",
            words,
            bool(found["again"]),
            found["attribute"] or "",
            text.endswith(" :string"),
        )
        if text.startswith("TYPE "):
            node.type, node.name = node.name, ""
        (path[depth - 1].below if depth else roots).append(node)
        path[depth:] = [node]
    return head.split()[-1], roots


def schema(file: Path, imports: dict[str, str], *, strict: bool) -> str:
    """Return the schema that a tree describes; `imports` are file names by namespace, `strict` asks UUIDs of mRIDs."""
    namespace, roots = tree(file)
    types: dict[str, Node] = {}
    for root in roots:
        _collect(root, types)
    prefixes = {"e": ENVELOPE, **{f"n{at}": one for at, one in enumerate(imports)}}
    own = {one: name for name, one in prefixes.items() if name != "e"}
    writer = _Writer(
        set(types),
        {one.rpartition("/")[2].strip("#"): own[one] for one in imports if one in own},
        strict,
        ENVELOPE in imports,
    )
    elements = [writer.element(root) for root in roots if root.name]
    named = [f'<xs:complexType name="{name}">{writer.content(node)}</xs:complexType>' for name, node in types.items()]
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}" xmlns:m="{namespace}" '
        + " ".join(f'xmlns:{name}="{one}"' for name, one in prefixes.items())
        + ' elementFormDefault="qualified">'
        + "".join(f'<xs:import namespace="{one}" schemaLocation="{name}"/>' for one, name in imports.items())
        + "".join(elements + named)
        + "</xs:schema>"
    )


def _collect(node: Node, types: dict[str, Node]) -> None:
    """Note the first description of every named type."""
    if node.type and node.type not in types and (node.below or (not node.name and node.type not in PRIMITIVE)):
        types[node.type] = node
    for one in node.below:
        _collect(one, types)


@dataclass
class _Writer:
    types: set[str]
    profiles: dict[str, str]
    """Prefix by noun."""

    strict: bool
    is_message: bool

    def element(self, node: Node) -> str:
        """Return the declaration of an element, a choice or a wildcard."""
        occurs = OCCURS[node.mark]
        if node.name.startswith("->"):
            noun = node.name.partition(":")[2]
            return f'<xs:element ref="{self.profiles[noun]}:{noun}"{occurs}/>'
        if node.name.startswith("<any"):
            how = node.name.strip("<>").split()[-1]
            return f'<xs:any namespace="##other" processContents="{how}"{occurs}/>'
        if node.name == "<choice>":
            return f"<xs:choice{occurs}>{''.join(map(self.element, node.below))}</xs:choice>"
        if node.words:
            words = "".join(f'<xs:enumeration value="{word}"/>' for word in node.words)
            return f'<xs:element name="{node.name}"{occurs}>{self._restricted("string", words)}</xs:element>'
        if node.type == "UUIDType" or (node.name == "mRID" and self.strict):
            pattern = f'<xs:pattern value="{UUID}"/>'
            return f'<xs:element name="{node.name}"{occurs}>{self._restricted("string", pattern)}</xs:element>'
        if node.plain_id:
            return f'<xs:element name="{node.name}"{occurs}>{_IDENTIFIER}</xs:element>'
        kind = self._type(node)
        if kind:
            return f'<xs:element name="{node.name}" type="{kind}"{occurs}/>'
        return (
            f'<xs:element name="{node.name}"{occurs}><xs:complexType>{self.content(node)}</xs:complexType></xs:element>'
        )

    def content(self, node: Node) -> str:
        """Return what stands in a complex type."""
        inside = "".join(map(self.element, node.below))
        use = "required" if self.strict and not node.below else "optional"
        extra = f'<xs:attribute name="{node.attribute}" type="xs:string" use="{use}"/>' if node.attribute else ""
        return f"<xs:sequence>{inside}</xs:sequence>{extra}"

    def _type(self, node: Node) -> str:
        if node.type in self.types:
            return f"m:{node.type}"
        if node.type in PRIMITIVE:
            return f"xs:{node.type}"
        if node.type == "StringQuantity":
            return "xs:string"
        if node.type in FLOATS:
            return "xs:float"
        if node.type and not node.attribute:
            return f"e:{node.type}" if self.is_message else "xs:anyType"
        return ""

    def _restricted(self, base: str, facets: str) -> str:
        return f'<xs:simpleType><xs:restriction base="xs:{base}">{facets}</xs:restriction></xs:simpleType>'


_IDENTIFIER = (
    '<xs:complexType><xs:simpleContent><xs:extension base="xs:string">'
    + "".join(
        f'<xs:attribute name="{name}" type="xs:string"/>' for name in ("idType", "idAuthority", "kind", "objectType")
    )
    + "</xs:extension></xs:simpleContent></xs:complexType>"
)


class _Documents(etree.Resolver):
    """Gives the compiler documents by the last part of their address."""

    def __init__(self, documents: dict[str, str]) -> None:
        super().__init__()
        self._documents = documents

    def resolve(self, url: str, _public: str, context: Any = None) -> Any:
        return self.resolve_string(self._documents[url.rpartition("/")[2]], context, base_url=url)


def profiles() -> list[str]:
    """Return the nouns with a published payload tree."""
    return sorted(file.stem for file in TREES.glob("*.txt") if "Message" not in file.stem and "." not in file.stem)


def compiled(edition: Edition, *, strict: bool) -> etree.XMLSchema:
    """Return one schema of all trees in an edition; the strict one is of the implementation that demands most."""
    documents = {"Message.xsd": schema(TREES / f"Message{'.epri-strict' if strict else ''}.txt", {}, strict=strict)}
    for noun in profiles():
        own = TREES / f"{noun}.epri.txt"
        documents[f"{noun}.xsd"] = schema(own if strict and own.exists() else TREES / f"{noun}.txt", {}, strict=strict)
    for file in sorted(TREES.glob("?*Message.txt")):
        used = re.findall(r"-> \w+:(\w+)", file.read_text())
        imports = {ENVELOPE: "Message.xsd"} | {f"{FAMILY}/{noun}#": f"{noun}.xsd" for noun in used}
        text = schema(file, imports, strict=strict)
        # The strict implementation names that type so.
        documents[f"{file.stem}.xsd"] = text.replace('"e:OperationSet"', '"e:OperationSetType"') if strict else text
    documents = {name: in_edition(text, edition) for name, text in documents.items()}
    spaces = {name: text.partition('targetNamespace="')[2].partition('"')[0] for name, text in documents.items()}
    imported = "".join(f'<xs:import namespace="{one}" schemaLocation="{name}"/>' for name, one in spaces.items())
    parser = etree.XMLParser()
    parser.resolvers.add(_Documents(documents))
    entry = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imported}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(entry, parser, base_url="trees/all.xsd"))


def in_edition(text: str, edition: Edition) -> str:
    """Return a schema of 2011 in the namespaces of another edition."""
    text = text.replace(f'"{ENVELOPE}"', f'"{edition.message}"')
    return re.sub(rf'"{FAMILY}/(\w+Message)"', lambda found: f'"{edition.typed}/{found[1]}"', text)
