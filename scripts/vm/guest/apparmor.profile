# A profile for tests: everything is allowed but what is named "apparmor-denied".
abi <abi/3.0>,
profile nsbox-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  mount,
  umount,
  pivot_root,
  ptrace,
  signal,
  unix,
  deny /**apparmor-denied rwklx,
}
