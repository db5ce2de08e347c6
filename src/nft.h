/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nft.h - the firewall rules that a configuration asks for, as text for nft(8). Nobody runs nft
 * here: vpngw-nft.service does. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "config.h"

/* The MSS that [tunnel] mssclamp means, in bytes; 0: TCP is left alone. */
uint32_t nft_mss(const struct conf_tunnel *t);
/* The same for IPv6, whose header is longer. */
uint32_t nft_mss6(const struct conf_tunnel *t);

/*
 * Writes commands for `nft -f` that put the table inet vpngw in the place of one of that name, in
 * one transaction; nothing where no rules are needed. Whether `out` took it is the caller's to ask.
 */
void nft_print_rules(const struct config *c, FILE *out);
