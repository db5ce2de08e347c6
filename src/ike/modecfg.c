/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * modecfg.c - the client's address, DNS, banner (draft-dukes-ike-mode-cfg-02).
 *
 *   I -> R  HDR*, HASH, ATTR(REQUEST)        it asks (pull)
 *   R -> I  HDR*, HASH, ATTR(REPLY)
 *
 *   R -> I  HDR*, HASH, ATTR(SET)            or waits to be told (push)
 *   I -> R  HDR*, HASH, ATTR(ACK)
 *
 * Answers hold what was asked for and has a value, in the order of the request; nothing is
 * volunteered and no attribute is empty (3.4). steps.c lets a request through only after XAuth.
 * Nobody says which of the two it does: a client that asks for nothing after its login is told.
 * Of IPv6 only those hear who ask for it.
 */
#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "ike/cfg_attrs.h"
#include "ike/core.h"
#include "ike/profile.h"

/* Clients that ask do so within some milliseconds of their login. */
#define PUSH_AFTER_US (2 * US_PER_S)

static void put_servers(struct ike_build *b, uint16_t type, const struct ipaddr *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		build_tlv(b, type, ipaddr_span(&v[i]));
}

static void put_text(struct ike_build *b, uint16_t type, struct span text)
{
	if (text.n)
		build_tlv(b, type, text);
}

static void put_mask(struct wr *w, const struct prefix *p)
{
	wr_span(w, ipaddr_span(&p->addr));
	wr_be32(w, prefix_mask_v4(p->len));
}

/* One attribute with 14 bytes per network: address, mask, six zeros (vpnc counts by 14). */
static void put_split(struct ike_build *b, uint16_t type, const struct ike_modecfg *m)
{
	uint8_t buf[14 * LIMIT_SPLIT_NETS];
	struct wr w = wr_into(buf, sizeof(buf));

	for (unsigned i = 0; i < m->n_split; i++) {
		if (m->split_net[i].addr.family != IP_V4)
			continue; /* Unity has no form for them */
		put_mask(&w, &m->split_net[i]);
		wr_zero(&w, 6);
	}
	put_text(b, type, wr_done(&w));
}

/* Of the family that the type is for: IPv4 with a mask, IPv6 with a length. */
static void put_subnets(struct ike_build *b, uint16_t type, const struct ike_modecfg *m)
{
	uint8_t family = type == INTERNAL_IP6_SUBNET ? IP_V6 : IP_V4;

	for (unsigned i = 0; m->split == IKE_SPLIT_INCLUDE && i < m->n_split; i++) {
		const struct prefix *p = &m->split_net[i];
		uint8_t buf[17];
		struct wr w = wr_into(buf, sizeof(buf));

		if (p->addr.family != family)
			continue;
		if (family == IP_V4) {
			put_mask(&w, p);
		} else {
			wr_span(&w, ipaddr_span(&p->addr));
			wr_u8(&w, p->len);
		}
		build_tlv(b, type, wr_done(&w));
	}
}

/*
 * The draft gives the address 16 bytes (3.4), IKEv2 puts a prefix length behind (RFC 7296 3.15.1),
 * and strongSwan takes the last byte off in either. So there is one, of a host, for all but those
 * whose own request has the draft's form.
 */
static void put_address6(struct ike_build *b, struct ike_sa *sa, const struct ike_attr *request)
{
	uint8_t buf[17];
	struct wr w = wr_into(buf, sizeof(buf));

	if (!sa->lease6.family)
		return;
	wr_span(&w, ipaddr_span(&sa->lease6));
	if (request->basic || request->data.n != 16)
		wr_u8(&w, 128);
	build_tlv(b, INTERNAL_IP6_ADDRESS, wr_done(&w));
	sa->asked6 = true;
}

static void put_netmask(struct ike_build *b, const struct ike_modecfg *m)
{
	uint8_t mask[4];
	struct wr w = wr_into(mask, sizeof(mask));

	wr_be32(&w, prefix_mask_v4(m->netmask_len));
	build_tlv(b, INTERNAL_IP4_NETMASK, wr_done(&w));
}

static void put_attr(struct ike_build *b, uint16_t type, const struct ike_modecfg *m,
		     const struct ike_sa *sa)
{
	switch (type) {
	case INTERNAL_IP4_ADDRESS:
		build_tlv(b, type, ipaddr_span(&sa->lease));
		break;
	case INTERNAL_IP4_NETMASK:
		put_netmask(b, m);
		break;
	case INTERNAL_IP4_DNS:
		put_servers(b, type, m->dns, m->n_dns);
		break;
	case INTERNAL_IP4_NBNS:
		put_servers(b, type, m->nbns, m->n_nbns);
		break;
	case INTERNAL_IP4_SUBNET:
	case INTERNAL_IP6_SUBNET:
		put_subnets(b, type, m);
		break;
	case INTERNAL_IP6_DNS:
		put_servers(b, type, m->dns6, m->n_dns6);
		break;
	case APPLICATION_VERSION:
		put_text(b, type, m->version);
		break;
	case UNITY_BANNER:
		put_text(b, type, m->banner);
		break;
	case UNITY_SAVE_PASSWD:
		build_tv(b, type, m->save_passwd);
		break;
	case UNITY_DEF_DOMAIN:
		put_text(b, type, m->default_domain);
		break;
	case UNITY_SPLITDNS_NAME:
		put_text(b, type, m->split_dns);
		break;
	case UNITY_SPLIT_INCLUDE:
		if (m->split == IKE_SPLIT_INCLUDE)
			put_split(b, type, m);
		break;
	case UNITY_LOCAL_LAN:
		if (m->split == IKE_SPLIT_LOCAL_LAN)
			put_split(b, type, m);
		break;
	case UNITY_NATT_PORT:
		if (m->natt_port)
			build_tv(b, type, m->natt_port);
		break;
	case UNITY_PFS:
		build_tv(b, type, m->pfs_group);
		break;
	case UNITY_BACKUP_SERVERS:
		put_text(b, type, m->backup_servers);
		break;
	default:
		break; /* unknown ones are passed over: N177 */
	}
}

static void answer_attr(struct ike_build *b, const struct ike_attr *request,
			const struct ike_modecfg *m, struct ike_sa *sa)
{
	if (request->type == INTERNAL_IP6_ADDRESS)
		put_address6(b, sa, request);
	else
		put_attr(b, request->type, m, sa);
}

/* Every attribute type is answered once, however often it was asked for. */
static bool first_of_type(struct span attrs, const struct ike_attr *a)
{
	struct rd r = rd_from(attrs);
	struct ike_attr b;

	while (ike_attr_next(&r, &b) && b.data.p != a->data.p)
		if (b.type == a->type)
			return false;
	return true;
}

/* "Cisco Systems VPN Client 0.5.3:Linux" says more than the vendor IDs do. */
static void learn_client(struct ike_sa *sa, const struct ike_attr *a)
{
	if (a->type == APPLICATION_VERSION && !a->basic && a->data.n)
		snprintf(sa->client, sizeof(sa->client), "%.*s", (int)a->data.n,
			 (const char *)a->data.p);
}

void config_told(struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	if (sa->state != IKE_ST_AUTHED)
		return;
	/* Some clients start Quick Mode only when there is something to send. */
	sa_enter(ike, sa, IKE_ST_LEASED);
	sa->deadline_us = now + LIMIT_NO_PAIR_S * US_PER_S;
}

void config_offer(struct ike *ike, struct ike_sa *sa, uint64_t now)
{
	/* In the order in which clients ask; Unity's only for those who speak it. */
	static const uint16_t all[] = { INTERNAL_IP4_ADDRESS, INTERNAL_IP4_NETMASK,
					INTERNAL_IP4_DNS,     INTERNAL_IP4_NBNS,
					UNITY_BANNER,         UNITY_DEF_DOMAIN,
					UNITY_SPLIT_INCLUDE,  UNITY_LOCAL_LAN,
					UNITY_SPLITDNS_NAME };
	const struct ike_modecfg *m = profile_modecfg(ike->conf, sa);
	uint32_t msgid = ike_random_msgid(ike, sa);
	struct ike_build b = p2_start(ike, sa, XCHG_TRANSACTION, msgid);
	struct ike_xchg *x;
	uint16_t id;

	ike_random(ike, &id, sizeof(id));
	build_open(&b, PL_ATTR);
	wr_u8(&b.w, CFG_SET);
	wr_u8(&b.w, 0);
	wr_be16(&b.w, id);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < UNITY_BANNER || sa->vids & VID_UNITY)
			put_attr(&b, all[i], m, sa);
	x = p2_prepare(sa, &b, XCHG_KIND_PUSH, XCHG_TRANSACTION, msgid, now);
	if (x)
		x->next_us = now + PUSH_AFTER_US;
}

int config_request(struct ike_event *ev)
{
	struct ike_sa *sa = ev->sa;
	const struct ike_modecfg *m = profile_modecfg(ev->ike->conf, sa);
	struct rd r = rd_from(ev->cfg.attrs);
	struct ike_build b;
	struct ike_attr a;
	struct ike_xchg *x =
		xchg_add(sa, XCHG_KIND_CONFIG, XCHG_TRANSACTION, ev->hdr.msgid, ev->now);

	if (!x)
		return -EUSERS;
	sa_follow(ev);
	memcpy(x->iv, ev->iv, sizeof(x->iv));
	memcpy(x->request, ev->digest, sizeof(x->request));
	x->done = true;
	b = p2_start(ev->ike, sa, XCHG_TRANSACTION, x->msgid);
	build_open(&b, PL_ATTR);
	wr_u8(&b.w, CFG_REPLY);
	wr_u8(&b.w, 0);
	wr_be16(&b.w, ev->cfg.id);
	while (ike_attr_next(&r, &a)) {
		if (first_of_type(ev->cfg.attrs, &a))
			answer_attr(&b, &a, m, sa);
		learn_client(sa, &a);
	}
	xauth_seen(sa, ev->now);
	config_told(ev->ike, sa, ev->now);
	p2_answer(ev->ike, sa, x, &b, ev->fx);
	return 0;
}
