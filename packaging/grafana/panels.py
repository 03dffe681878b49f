"""What the dashboard shows, row by row: the table that dashboard.py makes bellwether.json of.

PROCESS stands for the labels that choose instances, OURS for those that choose clusters of them as well, NODE for those that also
choose nodes. Metrics of a process with one cluster have no label "cluster": $cluster is ".*" then, which it matches, and the
legends, which end with the cluster, end there with nothing."""

import collections

Panel = collections.namedtuple("Panel", "kind title queries unit text width steps words options", defaults=((), (), {}))
# kind: of Grafana; queries: (expression, legend) each; unit: of Grafana; text: the description; width: of 24.
# steps: (color, from this value on) each; words: (value, what is shown in its place, color) each.

PROCESS = 'job="$job",instance=~"$instance"'
OURS = PROCESS + ',cluster=~"$cluster"'
NODE = OURS + ',node=~"$node"'

GOOD_AT_ONE = (("red", None), ("green", 1))
BAD_ABOVE_ZERO = (("green", None), ("red", 1e-9))
WARN_ABOVE_ZERO = (("green", None), ("orange", 1e-9))
PLAIN = (("blue", None),)
YES_OR_NO = ((0, "no", "red"), (1, "yes", "green"))
NAMES = {"textMode": "name", "colorMode": "background", "graphMode": "none"}
STACKED = {"stack": True}
EACH = "instance, cluster"
AT = "{{instance}} {{cluster}}"
OF_NODE = "node, cluster"
AT_NODE = "{{node}} {{cluster}}"


def rate(metric, labels=OURS, by=EACH):
    return f"sum by ({by}) (rate({metric}{{{labels}}}[$__rate_interval]))"


def quantile(q, metric, by, labels=OURS, over="$__rate_interval"):
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({metric}_bucket{{{labels}}}[{over}])))"


def quantiles(metric, by, labels=OURS, of=(0.5, 0.99), over="$__rate_interval"):
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return [(quantile(q, metric, by, labels, over), f"p{q * 100:g} {legend}") for q in of]


LEADER = [
    Panel("stat", "Leader", [(f"bellwether_leader_info{{{OURS}}} == 1", AT_NODE)], "none",
          "The node that each instance sends clients to. Nothing is shown while there is none; two names of one cluster mean that "
          "two instances do not agree.", 6, PLAIN, (), NAMES),
    Panel("stat", "Leads since", [(f"(bellwether_leader_since_timestamp_seconds{{{OURS}}} > 0) * 1000", AT)],
          "dateTimeFromNow", "When the present leader was taken. Nothing is shown while there is none.", 6, PLAIN),
    Panel("stat", "Ready",
          [(f"max by ({EACH}) (bellwether_leader_info{{{OURS}}}) * on ({EACH}) "
            f'(1 - max by ({EACH}) (bellwether_hold{{{OURS},reason="conflict"}}))', AT)], "none",
          "What /readyz says (of several clusters: /clusters/NAME/readyz), but for a process that is ending: there is a leader, "
          "and no conflict that requests wait for.", 4,
          GOOD_AT_ONE, YES_OR_NO),
    Panel("stat", "Could take over", [(f"bellwether_takeover_candidates{{{OURS}}}", AT)], "none",
          "Unsealed standbys that answer. At 0 the next failure of the leader is an outage.", 4, GOOD_AT_ONE),
    Panel("stat", "Alerts", [('count(ALERTS{alertstate="firing",alertname=~"(Bellwether|Vault).*"}) or vector(0)', "firing")],
          "none", "Alerts of bellwether-rules.yml that fire; the runbook says what to do about each.", 4, BAD_ABOVE_ZERO),
    Panel("state-timeline", "Who leads", [(f"bellwether_leader_info{{{NODE}}}", "{{node}} at " + AT)], "none",
          "Each change of colour is a change of leader.", 12, (("transparent", None),),
          ((0, "follows", "transparent"), (1, "leads", "green"))),
    Panel("state-timeline", "Why new requests wait", [(f"bellwether_hold{{{OURS}}}", "{{reason}} at " + AT)], "none",
          "starting, no_leader, suspect, conflict, idle (the first request after a time without traffic) or paused. Nothing is "
          "coloured while requests go straight to the leader.", 12, (("transparent", None),),
          ((0, "no", "transparent"), (1, "waits", "orange"))),
    Panel("timeseries", "Time without a leader", [(rate("bellwether_leaderless_seconds_total"), AT)], "percentunit",
          "The share of the time without a leader: 100 % is an outage that lasts.", 12, BAD_ABOVE_ZERO),
    Panel("timeseries", "Contradictions in the cluster",
          [(rate("bellwether_conflicts_total", by="instance, cluster, kind"), "{{kind}} at " + AT),
           (f"bellwether_contested{{{OURS}}}", "contested at " + AT),
           (f"bellwether_stalled{{{OURS}}}", "stalled at " + AT)], "none",
          "two_leaders and cluster_id per second as they are seen. contested is 1 while another node claims to lead too, "
          "stalled while the leader answers health checks and completes no request.", 12, BAD_ABOVE_ZERO),
]

FAILOVERS = [
    Panel("stat", "Failovers by cause",
          [(f"sum by (cause) (round(increase(bellwether_failovers_total{{{OURS}}}[$__range]))) > 0", "{{cause}}")], "none",
          "Changes of leader in the time that is shown. `bellwether failovers` explains each.", 8, PLAIN),
    Panel("stat", "How long they took, median",
          [(quantile(0.5, "bellwether_failover_duration_seconds", "phase", over="$__range"), "{{phase}}")], "s",
          "detect: last claim of the old leader to the first sign of its end. elect: to the new leader. first_success: to the "
          "first client that it served. Of the failovers in the time that is shown.", 8, PLAIN),
    Panel("stat", "How long they took, 99th percentile",
          [(quantile(0.99, "bellwether_failover_duration_seconds", "phase", over="$__range"), "{{phase}}")], "s",
          "The slowest of the same. A long elect is the cluster's own time.", 8, (("green", None), ("orange", 5), ("red", 30))),
    Panel("timeseries", "Changes of leader", [(f"increase(bellwether_leader_changes_total{{{OURS}}}[1h])", AT)],
          "none", "Within an hour; VaultElectsOften fires above 3.", 24, (("green", None), ("orange", 3))),
]

TRAFFIC = [
    Panel("timeseries", "Connections", [(f"bellwether_open_connections{{{OURS}}}", "{{side}} at " + AT),
                                        (f"bellwether_maxconn{{{OURS}}}", "maxconn at " + AT)], "none",
          "Open connections with clients and with nodes, and the limit on those with clients.", 8, PLAIN),
    Panel("timeseries", "New connections", [(rate("bellwether_connections_total", by="side"), "{{side}}"),
                                            (rate("bellwether_redirects_total", by="job"), "redirected requests")], "cps",
          "Accepted from clients and made to nodes. redirected requests are those of redirect listeners.", 8, PLAIN),
    Panel("timeseries", "Bytes", [(rate("bellwether_bytes_total", by="direction"), "{{direction}}")], "Bps",
          "up: to the nodes; down: to the clients.", 8, PLAIN),
    Panel("timeseries", "Requests by outcome", [(rate("bellwether_http_outcomes_total", by="outcome"), "{{outcome}}")], "reqps",
          "http listeners. ambiguous: perhaps executed (`bellwether ambiguous` lists them); unserved: surely not; cut: amid the "
          "answer.", 8, PLAIN, (), STACKED),
    Panel("timeseries", "Requests by status", [(rate("bellwether_http_requests_total", by="class"), "{{class}}")], "reqps",
          "http listeners, by the class of the status that the client was given.", 8, PLAIN, (), STACKED),
    Panel("timeseries", "Failed requests", [("bellwether:http_failed:ratio_rate5m{" + OURS + "}", AT)],
          "percentunit", "The share of ambiguous, unserved and cut over five minutes; a record of bellwether-rules.yml.", 8,
          BAD_ABOVE_ZERO),
    Panel("timeseries", "Duration of requests", quantiles("bellwether_http_duration_seconds", "phase"), "s",
          "http listeners, by phase: waiting for a leader, upstream (the node's own time), total.", 12, PLAIN),
    Panel("timeseries", "Requests under way", [(f"bellwether_http_requests_in_flight{{{OURS}}}", AT),
                                               (f"bellwether_pool_idle_connections{{{OURS}}}", "idle to nodes at " + AT)], "none",
          "Of http listeners, and the connections to nodes that are kept for the next ones.", 12, PLAIN),
    Panel("timeseries", "Held now", [(f"bellwether_held_requests{{{OURS}}}", AT)], "none",
          "Requests and connections that wait for a leader. BellwetherHoldsTooLong fires after half a minute.", 8,
          WARN_ABOVE_ZERO),
    Panel("timeseries", "How long they were held",
          quantiles("bellwether_hold_duration_seconds", EACH), "s",
          "Those that have waited: a hold of 30 s (http) or 9 s (tcp) ends in a refusal.", 8,
          (("green", None), ("orange", 5), ("red", 9))),
    Panel("timeseries", "Held, and what became of them",
          [(rate("bellwether_held_total", by="job"), "held"), (rate("bellwether_hold_timeouts_total", by="job"), "no leader came"),
           (rate("bellwether_hold_overflows_total", by="job"), "the hold was full"),
           (rate("bellwether_hold_client_gone_total", by="job"), "the client went away")], "ops",
          "What was held and is in no other line went on to the leader.", 8, PLAIN),
    Panel("timeseries", "Sent again, and ambiguous",
          [(rate("bellwether_retries_total", by="job"), "requests sent again"),
           (rate("bellwether_tls_hello_replays_total", by="job"), "TLS hellos said again"),
           (rate("bellwether_http_outcomes_total", OURS + ',outcome="ambiguous"', by="job"), "ambiguous")], "ops",
          "Sent again is what surely was not executed. The clients of ambiguous requests were told that nobody knows.", 8, PLAIN),
    Panel("timeseries", "Sessions that were ended", [(rate("bellwether_sessions_cut_total", by="reason"), "{{reason}}")], "ops",
          "By the proxy. quiet, request and answer cost no client anything; dead and deadline cut what was under way.", 8, PLAIN),
    Panel("timeseries", "What nodes' answers proved", [(rate("bellwether_judged_answers_total", by="row"), "{{row}}")], "ops",
          "http listeners, by the row of the safe-retry table that judged the answer.", 8, PLAIN),
    Panel("timeseries", "Refused and turned away",
          [(rate("bellwether_http_rejected_total", by="reason"), "{{reason}}"),
           (rate("bellwether_http_header_timeouts_total", by="job"), "head too slow"),
           (rate("bellwether_redirect_loops_total", by="job"), "redirect to ourselves"),
           (rate("bellwether_rejected_requests_total", by="job"), "not HTTP/1.1"),
           (rate("bellwether_maxconn_pauses_total", by="job"), "maxconn reached"),
           (rate("bellwether_accept_failures_total", by="job"), "not accepted"),
           (rate("bellwether_proxy_header_errors_total", by="job"), "PROXY header wrong")], "ops",
          "Requests that are not valid or not safe, and connections that could not be taken.", 8, WARN_ABOVE_ZERO),
]

NODES = [
    Panel("stat", "Role", [(f"bellwether_node_role{{{NODE}}} == 1", "{{node}}: {{role}} {{cluster}}")], "none",
          "What each node says it is. A role is not health.", 12, PLAIN, (), NAMES),
    Panel("stat", "State that an operator gave",
          [(f"bellwether_node_admin_state{{{NODE}}} == 1", "{{node}}: {{state}} {{cluster}}")], "none",
          "ready, or drain or maint by `bellwether node`. Forgotten when Bellwether starts anew.", 12, PLAIN, (), NAMES),
    Panel("state-timeline", "Answers", [(f"bellwether_node_up{{{NODE}}}", "{{node}} at " + AT)], "none",
          "Whether the node answers at all, whatever its role.", 12, GOOD_AT_ONE, ((0, "silent", "red"), (1, "up", "green"))),
    Panel("timeseries", "Nodes by role", [("sum by (role) (bellwether:nodes_by_role{" + OURS + "}) > 0", "{{role}}")], "none",
          "Counted over the instances and clusters that are chosen; a record of bellwether-rules.yml.", 12, PLAIN, (), STACKED),
    Panel("timeseries", "Latency of probes", quantiles("bellwether_probe_duration_seconds", OF_NODE, NODE), "s",
          "From a probe's last byte to its answer. suspect_after (100 ms) is where a leader is doubted.", 8,
          (("green", None), ("orange", 0.1))),
    Panel("timeseries", "Probes", [(rate("bellwether_probes_total", NODE, by=OF_NODE), AT_NODE)], "ops",
          "About one each second and node, more during an election, fewer while nobody sends anything.", 8, PLAIN),
    Panel("timeseries", "Failed probes",
          [(rate("bellwether_probe_failures_total", NODE, by=OF_NODE + ", reason") + " > 0", "{{node}}: {{reason}} {{cluster}}")],
          "ops",
          "Without an answer that is Vault's, by reason. `bellwether status` says what to do about each.", 8, WARN_ABOVE_ZERO),
    Panel("timeseries", "Sessions", [(f"bellwether_node_open_connections{{{NODE}}}", "{{node}} at " + AT)], "none",
          "Open ones with each node: all are with the leader, but for those that are being drained.", 8, PLAIN),
    Panel("timeseries", "New connections to the node", [(rate("bellwether_node_connections_total", NODE, by=OF_NODE), AT_NODE)],
          "cps", "Made for clients.", 8, PLAIN),
    Panel("timeseries", "Connections that could not be made",
          [(rate("bellwether_connect_failures_total", NODE, by=OF_NODE), AT_NODE)], "cps",
          "For clients. Their requests are held and go to the next leader.", 8, WARN_ABOVE_ZERO),
]

CERTIFICATES = [
    Panel("stat", "Days left",
          [(f"(bellwether_cert_not_after_timestamp_seconds{{{OURS}}} < Inf) - time()", "{{cert}} at " + AT)], "s",
          "Until our own certificate expires: client (shown to nodes), server (shown to clients). Nothing is shown without one.",
          6, (("red", None), ("orange", 7 * 86400), ("green", 14 * 86400))),
    Panel("stat", "Files in use", [(f"bellwether_cert_last_reload_successful{{{OURS}}}", "{{cert}} at " + AT)], "none",
          "Whether the certificate, key and CA files on disk are those in use.", 6, GOOD_AT_ONE, YES_OR_NO),
    Panel("stat", "Nodes are verified", [(f"bellwether_tls_verify{{{OURS}}}", AT)], "none",
          "Without it anybody in the network may pose as the leader.", 6, GOOD_AT_ONE, YES_OR_NO),
    Panel("stat", "Certificates read",
          [(f"sum by (cert, result) (bellwether_cert_reloads_total{{{OURS}}})", "{{cert}}: {{result}}")], "none",
          "How often changed files were read since the start.", 6, PLAIN),
    Panel("timeseries", "Failed handshakes with clients",
          [(rate("bellwether_tls_handshake_failures_total", by="reason"), "{{reason}}")], "ops",
          "By reason; alert: the client refused our certificate.", 12, WARN_ABOVE_ZERO),
]

NAMES_AND_PROCESS = [
    Panel("timeseries", "Questions to name servers", [(rate("bellwether_name_lookups_total", by="result"), "{{result}}")], "ops",
          "About the names of nodes, while we run.", 12, PLAIN),
    Panel("timeseries", "Names without an answer", [(f"bellwether_names_unanswered{{{OURS}}}", AT)], "none",
          "Their last addresses serve.", 12, WARN_ABOVE_ZERO),
    Panel("stat", "Scraped", [(f"up{{{PROCESS}}}", "{{instance}}")], "none", "Whether Prometheus has an answer from the instance.",
          6, GOOD_AT_ONE, YES_OR_NO),
    Panel("stat", "Version", [(f"bellwether_build_info{{{PROCESS}}}", "{{version}} at {{instance}}")], "none",
          "Which build each instance is.", 6, PLAIN, (), NAMES),
    Panel("stat", "Configuration in force", [(f"bellwether_config_last_reload_successful{{{PROCESS}}}", "{{instance}}")], "none",
          "Whether it is the one that was read last. If not, the log and `bellwether check --running` name the errors.", 6,
          GOOD_AT_ONE, YES_OR_NO),
    Panel("stat", "Read", [(f"bellwether_config_last_reload_success_timestamp_seconds{{{PROCESS}}} * 1000", "{{instance}}")],
          "dateTimeFromNow", "When the configuration in force was read.", 6, PLAIN),
    Panel("timeseries", "Lateness of the control loop", [(f"bellwether_loop_lateness_seconds{{{PROCESS}}}", "{{instance}}")], "s",
          "At its worst since the last scrape. Above 100 ms leaders are doubted because of our own machine.", 12,
          (("green", None), ("orange", 0.1))),
    Panel("timeseries", "Losses of our own", [(rate("bellwether_log_dropped_lines_total", PROCESS, by="job"), "log lines dropped"),
                                              (rate("bellwether_admin_connections_made_room_total", PROCESS, by="job"),
                                               "admin connections ended for others")], "ops",
          "Lines that a reader of the log was too slow for, and connections to the admin address beyond its limit.", 12,
          WARN_ABOVE_ZERO),
]

ROWS = [("Who leads", LEADER), ("Failovers", FAILOVERS), ("Traffic", TRAFFIC), ("Nodes", NODES),
        ("Certificates", CERTIFICATES), ("Names and the process", NAMES_AND_PROCESS)]
