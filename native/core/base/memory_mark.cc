#include "core/base/memory_mark.h"

namespace nsbox {

MemoryHooks memory_hooks;

}  // namespace nsbox
