/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * check.h - whether a host is ready for its first login: vpngw --check.
 *
 * Looks and changes nothing, and goes on where something cannot be looked at: that is a finding, too.
 * It is another life of the program than the gateway's, with the rights of whoever starts it, root as
 * a rule; it may run beside a gateway.
 */
#pragma once

#include "config.h"
#include "findings.h"

/* Reads the configuration (path as for config_load()) and looks at everything. 0 or -errno: only
 * when it could not begin. */
int check_host(const char *path, struct findings *f);

/* ---- among the files of check/; config is NULL where it is not valid ---- */

void check_files(const struct config *config, struct findings *f);
void check_certificate(const struct config *config, struct findings *f);
void check_ports(const struct config *config, struct findings *f);
void check_network(const struct config *config, struct findings *f); /* forwarding, routes */
void check_units(const struct config *config, struct findings *f);
void check_sandbox(struct findings *f);
void check_firewall(const struct config *config, struct findings *f);
void check_kernel(const struct config *config, struct findings *f);

/* Whether the unit runs, as systemd says; false as well when nobody answers. */
bool check_unit_is_active(const char *unit);

/* A small file, such as one below /proc, with a NUL behind it; cut at cap - 1 bytes. 0 or -errno. */
int check_read(const char *path, char *buf, size_t cap);
