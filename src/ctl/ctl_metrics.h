/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_metrics.h - what the gateway counts, for vpngwctl and vpngw-metrics. */
#pragma once

#include <stddef.h>

#include "ctl/ctl.h"

/*
 * Asks the gateway, and gives OpenMetrics text, owned by the caller. When it cannot be asked, the
 * reason is said and returned, and the text says so, too. NULL: no memory.
 */
enum ctl_exit ctl_metrics_text(const struct ctl_options *o, char **ret, size_t *ret_n);
