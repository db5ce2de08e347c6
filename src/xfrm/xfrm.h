/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xfrm.h - everything the gateway may ask of the kernel's IPsec. No IKE words here.
 *
 * xfrm/msg*.c turn these structures into netlink bytes (pure), xfrm/sock.c sends them.
 * All ports, SPIs and IDs are in host order; lengths are in bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "bounds.h"

/* Our objects in the host's tables are told by these, and only these are ever removed. */
#define XFRM_REQID_FIRST 0x76000000u
#define XFRM_REQID_LAST  0x76ffffffu
#define XFRM_IF_ID       0x76706e67u

/* One of them that no session has: of policies and SAs that belong to the gateway itself. */
#define XFRM_REQID_GATEWAY XFRM_REQID_LAST

/* Who made a route, as /etc/iproute2/rt_protos names them; no routing daemon has this number. */
#define XFRM_ROUTE_PROTOCOL 118

#define XFRM_KEY_MAX  64
#define XFRM_NETS_MAX LIMIT_SPLIT_NETS

/* One direction of a pair. An algorithm is a name of the kernel's: "cbc(aes)", "cbc(des3_ede)",
 * "rfc4106(gcm(aes))"; "hmac(sha1)", "hmac(sha256)", ... with the ICV's length in bits. */
struct xfrm_sa {
	struct ipaddr src, dst;     /* outer */
	uint32_t spi, reqid, if_id; /* if_id 0: none */
	/* Of the SA of IPComp (RFC 3173) that goes with it: that one has the tunnel, and ESP is in
	 * transport mode around it. 0: ESP in tunnel mode alone. */
	uint16_t cpi;
	bool aead;
	const char *enc_name, *auth_name; /* static; auth_name NULL with aead */
	uint8_t enc_key[XFRM_KEY_MAX], auth_key[XFRM_KEY_MAX];
	uint8_t enc_len, auth_len;
	uint16_t icv_bits;
	bool encap; /* ESP in UDP, RFC 3948 */
	uint16_t sport, dport;
	/* After so many bytes the kernel says so, and after so many the SA is over; 0: never. */
	uint64_t soft_bytes, hard_bytes;
	uint32_t replay_window; /* packets; an ESN-format bitmap is used above 32 */
	bool esn;               /* sequence numbers of 64 bits; needs a window */
	/* The header of the tunnel has no DF, whatever the packet inside has; its DSCP is 0, and not
	 * the packet's; the packet gets its DSCP. */
	bool clear_df, no_encap_dscp, decap_dscp;
	/* Inbound and encap: the same new source is reported once in so many seconds. 0: with each
	 * packet, as by kernels before 5.17 in any case. */
	uint32_t report_s;
};

enum xfrm_dir {
	XFRM_IN,
	XFRM_OUT,
	XFRM_FWD,
};

/* One policy. The inbound template's source is 0.0.0.0 or ::, so that the peer may move. */
struct xfrm_pol {
	enum xfrm_dir dir;
	struct prefix src, dst;           /* selector */
	uint8_t proto;                    /* of it; 0: any, and no ports */
	uint16_t sport, dport;            /* 0: any */
	struct ipaddr tmpl_src, tmpl_dst; /* outer */
	uint32_t reqid, if_id;
	bool ipcomp; /* ESP after IPComp, which packets too small for it come without */
	bool block;  /* after all others: drops what it meets; the template only says whose it is */
};

/* What of a pair is meant: all, the inbound SA alone, or the rest, policies included. */
enum xfrm_part {
	XFRM_PAIR_BOTH,
	XFRM_PAIR_IN,
	XFRM_PAIR_OUT,
};

/* What one child SA pair needs: two SAs, or four with IPComp, and in/fwd/out policies for each
 * network. */
struct xfrm_pair {
	enum xfrm_part part; /* of xfrm_pair_add(), and how much of it there is to remove */
	struct xfrm_sa in, out;
	struct ipaddr inner;               /* the client's leased address */
	struct prefix nets[XFRM_NETS_MAX]; /* behind the gateway */
	uint8_t n_nets;
	uint8_t proto;                 /* of the traffic; 0: any, and no ports */
	uint16_t inner_port, net_port; /* 0: any */
};

struct xfrm_counters {
	uint64_t bytes, packets;
	/* CLOCK_REALTIME seconds; 0: never, or the kernel does not say (6.1 does not for ESP): then
	 * a change of `packets` is what shows use. */
	uint64_t last_used_s;
};

/* ESP in UDP of one of our inbound SAs came, authentic and no replay, from another source than the
 * SA has. */
struct xfrm_mapping {
	uint32_t spi, reqid;
	struct endpoint from, to;
};

struct xfrm; /* an open NETLINK_XFRM socket */

/* 0 or -errno (-EPERM without CAP_NET_ADMIN, -EPROTONOSUPPORT without XFRM in the kernel). */
int xfrm_open(struct xfrm **ret);
struct xfrm *xfrm_close(struct xfrm *x);

/*
 * Installs the pair and its policies, or the part that is meant, with one sendmsg. On failure
 * everything of it that did go in is taken out again and the first error is returned, with `what`
 * naming the object and the likely remedy (text borrowed until the next call). Policies of ours
 * that exist with the same selector (same session, an older pair) are replaced once all else has
 * gone in, and stay after a failure; somebody else's make it fail with -EEXIST, as does an SPI or
 * CPI in use.
 */
int xfrm_pair_add(struct xfrm *x, const struct xfrm_pair *p, const char **ret_what);

/* Removes the pair, with XFRM_PAIR_IN without its outbound SAs; its policies too unless
 * keep_policies. Objects already gone are no error. Of
 * the SAs only addresses, SPIs, CPIs and if_id are looked at. */
int xfrm_pair_del(struct xfrm *x, const struct xfrm_pair *p, bool keep_policies);

/*
 * Whether the kernel can do the algorithms of this SA: puts it in and takes it out again, which also
 * makes the kernel load their modules. 0, or -errno with `what` as above.
 */
int xfrm_sa_probe(struct xfrm *x, const struct xfrm_sa *sa, const char **ret_what);

/* The same for IPComp with DEFLATE in tunnel mode. */
int xfrm_ipcomp_probe(struct xfrm *x, const char **ret_what);

/*
 * Blocks packets to and from these inner networks for which no pair has policies: without one they
 * would leave in clear, or be let in. For policies without an XFRM interface. They go with
 * xfrm_sweep(); `again`: those that have not gone are replaced. 0 or -errno.
 */
int xfrm_guard_add(struct xfrm *x, const struct prefix *nets, size_t n, bool again);
/* Lets them pass again; what is not there is gone already. 0 or -errno. */
int xfrm_guard_del(struct xfrm *x, const struct prefix *nets, size_t n);

/*
 * Moves a pair with encap to another address or port of its peer: keys, window and sequence numbers
 * stay. Of the SAs only addresses, ports, reqids, SPIs and CPIs are looked at; they must be as installed. On
 * failure neither SA is left, in the old place or the new, and `what` says why (text borrowed until
 * the next call); the policies are still there. An SA's counters begin anew with another address.
 */
int xfrm_pair_move(struct xfrm *x, const struct xfrm_pair *p, const struct endpoint *to,
		   const char **ret_what);

/* Counters of one SA; -ESRCH when there is none. */
int xfrm_sa_counters(struct xfrm *x, const struct ipaddr *dst, uint32_t spi,
		     struct xfrm_counters *ret);

/*
 * Calls fn for each of our SAs. Stops and returns fn's value when it is negative. fn may not use x.
 * It may see an SA twice, with newer numbers, when the table changed in between; -EAGAIN when it
 * never stood still.
 */
int xfrm_sa_each(struct xfrm *x,
		 int (*fn)(void *ctx, const struct ipaddr *dst, uint32_t spi,
			   const struct xfrm_counters *c),
		 void *ctx);

/* Removes every SA and policy that is ours by reqid or if_id; counts them. Others stay. */
int xfrm_sweep(struct xfrm *x, unsigned *ret_sas, unsigned *ret_policies);

/* Which of our objects stay. A false report that one exists twice is possible. */
struct xfrm_keep {
	/* proto: IPPROTO_ESP, or IPPROTO_COMP with a CPI. */
	bool (*sa)(void *ctx, uint32_t reqid, uint8_t proto, const struct ipaddr *dst,
		   uint32_t spi);
	/* Looked at: selector, direction, reqid, ipcomp. */
	bool (*policy)(void *ctx, const struct xfrm_pol *pol);
	void *ctx;
};

/* The same, but for those that `keep` wants. A policy with other templates than ours is none of these. */
int xfrm_sweep_but(struct xfrm *x, const struct xfrm_keep *keep, unsigned *ret_sas,
		   unsigned *ret_policies);

/* Policies of road warriors have a /32 on one side only: index them (host-wide setting). */
int xfrm_set_hthresh(struct xfrm *x);

/* ---- what the kernel reports by itself ---- */

struct xfrm_expiry {
	uint32_t spi, reqid;
	bool hard; /* the volume of the SA is used up, and it is gone; else the soft limit is passed */
};

/* What to do with reports about our SAs. */
struct xfrm_reports {
	void (*moved)(void *ctx, const struct xfrm_mapping *m);
	void (*expired)(void *ctx, const struct xfrm_expiry *e);
};

/* A descriptor that is readable when there is a report. 0 or -errno. */
int xfrm_listen(int *ret_fd);

/*
 * Reads what has come, at most a batch, and calls a function for each report about one of our SAs. 0
 * or -errno. Reports that were lost because too many came are no error: those of moves are repeated
 * by the kernel, and without that of a volume the pair is renewed when its time comes.
 */
int xfrm_listen_read(int fd, const struct xfrm_reports *fn, void *ctx);

/* ---- the XFRM interface and its routes (libnl-route) ---- */

/* Removes every interface with XFRM_IF_ID, and with it the routes into it; counts them. */
int xfrm_link_sweep(unsigned *ret_links);
/* The same, but for the one with this name. */
int xfrm_link_sweep_but(const char *name, unsigned *ret_links);
/* Makes the interface up with XFRM_IF_ID, mtu 0: the kernel's choice. -EEXIST: there is an
 * interface of this name, or (before a sweep) one of ours. -EOPNOTSUPP: the kernel has no XFRM
 * interface (modprobe xfrm_interface). */
int xfrm_link_add(const char *name, uint32_t mtu, int *ret_ifindex);
/* The same with one that is there already, which keeps its routes. -ENODEV: there is none; -EPERM:
 * it does not carry our if_id. */
int xfrm_link_keep(const char *name, uint32_t mtu, int *ret_ifindex);
/* -ENODEV: there is none; -EPERM: it does not carry our if_id. */
int xfrm_link_del(const char *name);

/* Routes of XFRM_ROUTE_PROTOCOL to the interface, for each prefix. They go with it. Ours from
 * before stay; -EEXIST when somebody else has a route for a prefix. One that fails does not
 * keep the others out: returned is the first error, and in *ret_failed which prefix had it. */
int xfrm_route_add(int ifindex, const struct prefix *nets, size_t n, size_t *ret_failed);
/* Takes ours for these prefixes out again. */
int xfrm_route_del(int ifindex, const struct prefix *nets, size_t n);

/* Whether the host forwards: 1 yes, 0 no, -errno unknown. family AF_INET or AF_INET6. */
int xfrm_forwarding(int family);
