#include "core/security/scheduling.h"
