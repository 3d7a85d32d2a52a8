"""Run in an environment of its own, which has Helm's engine: lint and render a chart.

    render_chart.py CHART NAMESPACE < values.json

prints {"lint": [...], "manifests": {path: text}, "refused": null or why}.
"""

import json
import sys

from helm_python import chart, errors

WARNING = 2


def main(path: str, namespace: str) -> None:
    values = json.load(sys.stdin)
    found = chart.lint(path, values, strict=True, namespace=namespace)
    problems = [one for one in found["messages"] if one["severity"] >= WARNING]
    said: dict[str, object] = {"lint": problems, "manifests": {}, "refused": None}
    try:
        with chart.Chart.load(path) as loaded:
            said["manifests"] = loaded.render(values, name="ocp-gateway", namespace=namespace)
    except errors.HelmValuesError as error:
        said["refused"] = str(error)
    json.dump(said, sys.stdout)


main(*sys.argv[1:])
