/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stats.c - every counter with what it means, for `vpngwctl stats`. */
#include "cleanup.h"
#include "gateway.h"

static const char *const meaning[] = {
	[IKE_C_RECEIVED] = "datagrams received",
	[IKE_C_SENT] = "datagrams sent",
	[IKE_C_RESENT] = "answers sent again, for a datagram that was lost",
	[IKE_C_DROP_HEADER] = "no IKEv1 message for us: scanners, IKEv2, cut datagrams",
	[IKE_C_DROP_MALFORMED] = "payloads that do not parse",
	[IKE_C_DROP_UNEXPECTED] = "messages that do not belong where the exchange is",
	[IKE_C_DROP_COOKIE] = "messages for an ISAKMP SA that is not there, as after a restart",
	[IKE_C_DROP_HASH] = "messages that are not authentic: wrong keys, or forged",
	[IKE_C_DROP_REPLAY] = "messages seen before",
	[IKE_C_DROP_LIMIT] = "logins beyond what is worked on at once, in all or of one address",
	[IKE_C_DROP_CREDIT] = "answers withheld because they were larger than what asked for them",
	[IKE_C_NO_PROPOSAL] = "offers without a proposal that the configuration allows",
	[IKE_C_LOGIN_OK] = "logins",
	[IKE_C_LOGIN_FAILED] = "logins refused or given up",
	[IKE_C_RENEWED] = "phase 1 renewed by a client, which kept its session",
	[IKE_C_MOVED] = "clients followed to another address or port",
	[IKE_C_MOVE_IGNORED] = "the kernel's reports of another address that moved nobody",
	[IKE_C_FRAG_RECEIVED] = "IKE fragments received",
	[IKE_C_FRAG_REPEATED] = "IKE fragments that were there already",
	[IKE_C_FRAG_WHOLE] = "messages put together from fragments",
	[IKE_C_FRAG_EXPIRED] = "messages of which a fragment never came",
	[IKE_C_FRAG_EVICTED] = "messages in fragments that gave way to others",
	[IKE_C_FRAG_SENT] = "IKE fragments sent",
	[IKE_C_DROP_FRAG_OFF] = "IKE fragments while [phase1] ike_frag = off",
	[IKE_C_DROP_FRAG_MALFORMED] = "IKE fragments that make no sense",
	[IKE_C_DROP_FRAG_CONFLICT] = "IKE fragments that contradict others",
	[IKE_C_DROP_FRAG_LIMIT] = "IKE fragments that are too many or make too long a message",
	[IKE_C_REKEYED] = "pairs of IPsec SAs renewed",
	[IKE_C_REKEY_FAILED] = "renewals begun by the gateway that the client did not take part in",
};
_Static_assert(ARRAY_SIZE(meaning) == IKE_C__COUNT, "every counter has a meaning");

bool stats_next(void *ctx, uint32_t i, struct ctl_stat *ret)
{
	const struct gw *gw = ctx;

	if (i < IKE_C__COUNT) {
		*ret = (struct ctl_stat){ .name = ike_counter_name(i),
					  .meaning = meaning[i],
					  .value = ike_counter(gw->ike, i) };
		return true;
	}
	i -= IKE_C__COUNT;
	if (i < 2) {
		*ret = (struct ctl_stat){ .name = i ? "bytes_out" : "bytes_in",
					  .meaning = i ? "bytes to clients, in all tunnels"
						       : "bytes from clients, in all tunnels",
					  .value = i ? gw->bytes_out : gw->bytes_in };
		return true;
	}
	i -= 2 - 1; /* there is no refusal for no reason */
	if (i >= IKE_R__COUNT)
		return false;
	*ret = (struct ctl_stat){ .refusal = true,
				  .name = ike_reason_key(i),
				  .meaning = ike_reason_str(i),
				  .value = gw->refused[i] };
	return true;
}
