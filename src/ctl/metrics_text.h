/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * metrics_text.h - answers of io.vpngw as OpenMetrics text. What node_exporter's textfile collector
 * reads, the older format of Prometheus, takes the same lines.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

/*
 * Writes the answers to Status and Stats, and with `sessions`, the answer to List, series for each
 * session. Without `status` there is no gateway, and that is all that is said. Errors are f's.
 */
void metrics_text(FILE *f, const json_t *status, const json_t *stats, const json_t *sessions);
