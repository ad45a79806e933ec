#pragma once

namespace nsbox::runtime {

// Maps the program at once. Page by page that is a fault each, which on a virtual machine can cost more than
// the system calls between them (madvise(2), MADV_POPULATE_READ, Linux 5.14).
void warm_up();

}  // namespace nsbox::runtime
