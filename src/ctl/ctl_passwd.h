/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ctl_passwd.h - vpngwctl passwd: users and passwords of auth_source = file. */
#pragma once

/*
 * argv[0] is the word "passwd". Speaks to the users file, not to the daemon, which sees the change
 * by itself. Returns the exit status: 0 done, 1 failed, 2 usage, 4 no such user (--delete).
 */
int ctl_passwd(int argc, char **argv);
