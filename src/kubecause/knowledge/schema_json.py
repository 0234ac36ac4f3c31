"""The JSON schema of case files, for editors; ``docs/case.schema.json`` holds it and a test keeps it fresh."""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import Any

import msgspec

from kubecause.knowledge.schema import Case

TITLE = "A case of kubecause"


def case_schema() -> dict[str, Any]:
    """The schema, with the one freedom the loader adds to the types: one word may stand for a list of one."""
    (schema,), definitions = msgspec.json.schema_components([Case], ref_template="#/$defs/{name}")
    for definition in definitions.values():
        if "description" in definition:  # msgspec before 0.23 leaves the indentation of docstrings in it
            definition["description"] = cleandoc(definition["description"])
        for key, wanted in definition.get("properties", {}).items():
            item = wanted.get("items")
            if wanted.get("type") == "array" and item and _is_word(item, definitions):
                definition["properties"][key] = {"anyOf": [item, wanted]}
    _expect_takes_plain_values(definitions["Hit"])
    _expect_takes_plain_values(definitions["Verify"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": TITLE, **schema, "$defs": definitions}


def case_schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(case_schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _is_word(item: dict[str, Any], definitions: dict[str, Any]) -> bool:
    name = str(item.get("$ref", "")).rpartition("/")[2]
    return item.get("type") == "string" or "enum" in definitions.get(name, {})


def _expect_takes_plain_values(definition: dict[str, Any]) -> None:
    """What is expected is compared as text, so 137 and true need no quotes."""
    plain = {"type": ["string", "number", "boolean"]}
    expect = definition["properties"]["expect"]
    if expect.get("type") == "object":
        expect["additionalProperties"] = plain
    else:
        definition["properties"]["expect"] = plain


if __name__ == "__main__":
    print(case_schema_text(), end="")
