#pragma once

// The whole of seccomp: read a profile, compile it, install it.
#include "core/security/seccomp_compile.h"
#include "core/security/seccomp_install.h"
#include "core/security/seccomp_parse.h"
#include "core/security/seccomp_profile.h"
