#!/usr/bin/python3
"""Makes bellwether.json, the dashboard for Grafana 10 and later, of the table in panels.py.

Usage: dashboard.py > bellwether.json   (tests/e2e/test_dashboard.py sees that both are in step)"""

import json
import sys

from panels import OURS, PROCESS, ROWS

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
HEIGHTS = {"stat": 5, "state-timeline": 7, "timeseries": 8}
SCHEMA_OF_GRAFANA_10 = 38


def _defaults(panel):
    steps = panel.steps or (("green", None),)
    mappings = [{"type": "value", "options": {str(value): {"text": text, "color": color, "index": at}}}
                for at, (value, text, color) in enumerate(panel.words)]
    made = {"unit": panel.unit, "mappings": mappings,
            "thresholds": {"mode": "absolute", "steps": [{"color": color, "value": value} for color, value in steps]}}
    if panel.kind == "timeseries":
        is_line = len(steps) > 1 and steps[1][1] >= 1e-3
        made["min"] = 0
        made["custom"] = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never",
                          "thresholdsStyle": {"mode": "line" if is_line else "off"},
                          "stacking": {"mode": "normal" if panel.options.get("stack") else "none", "group": "A"}}
    if panel.kind == "stat" and len(steps) == 1:
        made["color"] = {"mode": "fixed", "fixedColor": steps[0][0]}
    elif panel.kind != "timeseries":
        made["color"] = {"mode": "thresholds"}
    return made


def _options(panel):
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "orientation": "auto",
                "justifyMode": "auto", "textMode": "auto", "colorMode": "value", "graphMode": "none", **panel.options}
    if panel.kind == "state-timeline":
        return {"mergeValues": True, "showValue": "never", "rowHeight": 0.8, "alignValue": "left",
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False}, "tooltip": {"mode": "single"}}
    return {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"}}


def _panel(panel, number, place):
    targets = [{"refId": chr(ord("A") + at), "datasource": DATASOURCE, "expr": expression, "legendFormat": legend,
                "range": panel.kind != "stat", "instant": panel.kind == "stat"}
               for at, (expression, legend) in enumerate(panel.queries)]
    return {"id": number, "type": panel.kind, "title": panel.title, "description": panel.text, "gridPos": place,
            "datasource": DATASOURCE, "targets": targets, "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
            "options": _options(panel)}


def _row(title, number, y):
    return {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}


def _panels():
    """From left to right, a new line where the width is used up; a line is as high as its highest panel."""
    made, y = [], 0
    for title, panels in ROWS:
        made.append(_row(title, len(made) + 1, y))
        y, x, height = y + 1, 0, 0
        for panel in panels:
            if x + panel.width > 24:
                x, y, height = 0, y + height, 0
            place = {"x": x, "y": y, "w": panel.width, "h": HEIGHTS[panel.kind]}
            made.append(_panel(panel, len(made) + 1, place))
            x, height = x + panel.width, max(height, HEIGHTS[panel.kind])
        y += height
    return made


def _query_variable(name, label, query, several=True, **more):
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": query, "refresh": 2, "sort": 1,
            "query": {"query": query, "refId": "StandardVariableQuery"}, "hide": 0, "multi": several, "includeAll": several,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if several else {}, **more}


def _variables():
    return [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0, "refresh": 1},
            _query_variable("job", "Job", "label_values(bellwether_build_info, job)", several=False),
            _query_variable("instance", "Instance", 'label_values(bellwether_build_info{job="$job"}, instance)'),
            # All means ".*", for metrics without this label match it too.
            _query_variable("cluster", "Cluster", f"label_values(bellwether_leader_epoch{{{PROCESS}}}, cluster)", allValue=".*"),
            _query_variable("node", "Node", f"label_values(bellwether_node_up{{{OURS}}}, node)")]


def _annotations():
    return [{"name": "Changes of leader", "enable": True, "iconColor": "orange", "datasource": DATASOURCE,
             "expr": f"changes(bellwether_leader_epoch{{{OURS}}}[$__interval]) > 0",
             "titleFormat": "another leader at {{instance}} {{cluster}}"}]


def dashboard():
    return {"uid": "bellwether", "id": None, "title": "Bellwether", "tags": ["vault", "openbao", "bellwether"],
            "description": "Who leads a Vault or OpenBao cluster, what failovers cost clients, and how Bellwether itself fares.",
            "schemaVersion": SCHEMA_OF_GRAFANA_10, "version": 1, "editable": True, "graphTooltip": 1, "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"}, "timezone": "", "templating": {"list": _variables()},
            "annotations": {"list": _annotations()}, "panels": _panels(), "links": []}


def text():
    """One line for each panel, so that a difference shows which one it is."""
    parts = dashboard()
    panels = ",\n".join("  " + json.dumps(panel) for panel in parts.pop("panels"))
    head = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in parts.items())
    return f'{{\n{head},\n "panels": [\n{panels}\n ]\n}}\n'


if __name__ == "__main__":
    sys.stdout.write(text())
