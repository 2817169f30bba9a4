"""`AIGCMetadata`: the label of AI-made pictures, written as an XMP packet (CI 6; CI's own storage is undocumented).

The packet holds one JSON text in the namespace that the Chinese labelling standard GB 45438-2025 names for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from coslocal.wire.errors import MalformedXML
from coslocal.wire.xml import parse
from derivo.ci.tree import AigcMetadata

_NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"


def fields(op: AigcMetadata) -> dict[str, str]:
    """The fields that were given, under CI's names, in its order."""
    pairs = {
        "Label": op.label,
        "ContentProducer": op.content_producer,
        "ProduceID": op.produce_id,
        "ReservedCode1": op.reserved_code1,
        "ContentPropagator": op.content_propagator,
        "PropagateID": op.propagate_id,
        "ReservedCode2": op.reserved_code2,
    }
    return {name: value for name, value in pairs.items() if value is not None}


def packet(op: AigcMetadata) -> bytes:
    """The XMP packet, UTF-8."""
    text = quoteattr(json.dumps(fields(op), ensure_ascii=False))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:TC260="{_NAMESPACE}" TC260:AIGC={text}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def read(xmp: bytes) -> Mapping[str, str]:
    """The fields of an AI label in an XMP packet; empty where there is none that can be read."""
    try:
        root = parse(xmp)
        texts = [value for element in root.iter() for name, value in element.items() if name.endswith("}AIGC")]
        found = json.loads(texts[0]) if texts else {}
    except (MalformedXML, ValueError, RecursionError):
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
