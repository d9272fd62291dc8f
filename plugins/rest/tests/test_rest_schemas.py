"""Each request of a mapping, and each answer of its sample, against the public schema of its tool.

The schemas are not in the repository. ``python plugins/rest/tests/test_rest_schemas.py FOLDER`` fetches them;
then ``PM_HUB_SCHEMAS=FOLDER pytest`` holds the mappings against them.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any

import hub_rest.mappings
import pytest
from hub_rest.testing.mapping_certification import MappingCertification
from hub_rest.testing.schemas import Edmx, GraphQl, OpenApi

from hub.testing.kit.harness import table

HERE = Path(hub_rest.mappings.__file__).parent
RAW = "https://raw.githubusercontent.com"
WHERE = {
    "asana.yaml": f"{RAW}/Asana/openapi/master/defs/asana_oas.yaml",
    "azure-core.json": f"{RAW}/MicrosoftDocs/vsts-rest-api-specs/master/specification/core/7.1/core.json",
    "basecamp.json": f"{RAW}/basecamp/basecamp-sdk/main/openapi.json",
    "clickup.json": f"{RAW}/Npab19/clickup-mcp/main/clickup-api-v2-reference.json",
    "clockify.json": f"{RAW}/eXpl0it3r/ClockifyClient/main/clockify-openapi.json",
    "harvest.yaml": f"{RAW}/jolicode/harvest-openapi-generator/main/generated/harvest-openapi.yaml",
    "linear.graphql": f"{RAW}/linear/linear/master/packages/sdk/src/schema.graphql",
    "monday.graphql": f"{RAW}/mondaycom/mcp/master/packages/agent-toolkit/src/monday-graphql/schema.graphql",
    "notion.json": f"{RAW}/makenotion/notion-mcp-server/main/scripts/notion-openapi.json",
    "sap-s4hana.projects.edmx": f"{RAW}/SAP-samples/btp-end-to-end-scenario-use-cases/"
    "ca570376dcb73f4ea82dc257040fc745eca5274d/srv/external/S4HC_API_ENTERPRISE_PROJECT_SRV_0002.edmx",
    "sap-s4hana.hours.edmx": f"{RAW}/jmsrpp/btp-ai-core-simplifying-timesheet-tracking-task-in-s-4hana-cloud/"
    "main/srv/external/API_MANAGE_WORKFORCE_TIMESHEET.edmx",
    "smartsheet.json": f"{RAW}/ronreynolds/smartsheet-openapi/main/src/main/resources/"
    "smartsheet-openapi-v2.json",
    "tempo.yaml": f"{RAW}/chrischall/tempo-api-mcp/main/tempo-openapi.yaml",
    "toggl.json": f"{RAW}/go-api-libs/toggl/main/api/swagger.json",
    "trello.json": f"{RAW}/kevinhillinger/trello-mcp-server/main/swagger.v3.json",
}
HOW: dict[str, dict[str, str]] = {
    "basecamp": {"prefix": "/1"},
    "azure-core": {"prefix": "/acme", "wrapped": "value"},
    "toggl": {"base": "/api/v9"},
}
"""What stands before the paths of a mapping, or before those of a schema."""
ELSEWHERE = {
    "asana": [
        # a list shows what opt_fields asks for, beside the compact form that the schema has for it
        r"answers data\[\] has (archived|email|completed|task), which is not known",
        r"parameter opt_fields\[\] is '(custom_fields.gid|task)'",
    ],
    "azure-core": [r"/_apis/(connectionData|wit/)"],
    "basecamp": [
        # of recordings of any kind the schema has what they share; sections/todos and projects have these
        r"recordings.json answers \[\] has completed,",
        r"projects.json answers \[\] has timesheet_enabled,",
    ],
    "clickup": [
        # its schema is made of examples: nothing in it is null, a priority is the number that is written
        r"is null, which it may not be",
        r"tasks\[\].priority is {",
        r"answers (it has last_page|tasks\[\] has time_spent|teams\[\].members\[\].user has role),",
    ],
    "clockify": [r"is null, which it may not be", r"projects answers \[\] has clientId,"],
    "harvest": [r"time_entries\[\] has approval_status,"],  # younger than the schema
    "notion": [r"POST /v1/databases/[^/]+/query: there is no such operation"],  # of 2022-06-28, not in it
    # each element has a name of its own in the simulator, longer than SAP's ids
    "sap-s4hana": [r"ProjectElementUUID is '[0-9a-f-]+-\d{3}'"],
    "smartsheet": [r"answers rows\[\] has parentId,"],  # the schema has it where a row is written
    # the list of times is said to be a text, and shown as a list; of models it has some of the parts
    "toggl": [
        r"search/time_entries answers it is \[",
        r"(/me|/projects|/users) answers .* is not known",
        r"parameter active is .both., and",
        r"the parameter sort_pinned is lacking",
    ],
    "trello": [
        # the guide to nested resources has these for all of them, and the schema for some
        r"boards/{id}/(members|cards/{filter}): there is no parameter (fields|limit|before)",
    ],
}  # fmt: skip
"""What the schema does not say and another page of the vendor's documentation does."""


def _schema(name: str) -> Any:
    folder = os.environ.get("PM_HUB_SCHEMAS")
    if not folder:
        pytest.skip("set PM_HUB_SCHEMAS to the folder of the schemas; this file fetches them")
    path = Path(folder) / name
    if not path.exists():
        pytest.skip(f"{name} is not there: {WHERE[name]}")
    module, package = {".graphql": ("graphql", "graphql-core"), ".yaml": ("yaml", "PyYAML")}.get(
        path.suffix, ("json", "")
    )
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{name} needs the package {package}")
    if path.suffix == ".edmx":
        return Edmx(path)
    return GraphQl(path) if path.suffix == ".graphql" else OpenApi(path, **HOW.get(path.stem, {}))


@pytest.mark.parametrize("name", sorted(WHERE))
def test_what_is_asked_and_answered_is_in_the_schema(name: str) -> None:
    """Paths, parameters, bodies and queries of a first run, an increment, a census, and what comes back."""
    schema = _schema(name)
    stem = Path(name).stem.partition(".")[0]
    examined = MappingCertification(HERE / f"{'azure-devops' if stem == 'azure-core' else stem}.toml")
    said: dict[str, None] = {}
    count = 0

    def note(_: int, request: Any, honest: Any) -> Any:
        nonlocal count
        count += 1
        answer = honest()
        if not re.search("|".join(ELSEWHERE.get("azure-core", ())), request.path) or stem != "azure-core":
            said.update(dict.fromkeys(schema.problems(request, answer)))
        return answer

    with table(examined, 3) as harness:
        harness.sync(note)
        harness.world.edit()
        harness.world.delete()
        harness.sync(note)
        harness.sync(note, full=True, census=True)

    assert count > 3
    known = ELSEWHERE.get(stem, ())
    assert [] == [one for one in said if not any(re.search(pattern, one) for pattern in known)]


if __name__ == "__main__":
    for name, address in WHERE.items():
        with urllib.request.urlopen(address) as answer:
            (Path(sys.argv[1]) / name).write_bytes(answer.read())
