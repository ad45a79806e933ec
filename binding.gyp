{
  "variables": {
    "core_sources": ["<!@(sed 's,^,native/core/,' native/core/sources.txt)"],
    "version": "<!(node -p \"require('./package.json').version\")"
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "defines": ["NSBOX_VERSION=\"<(version)\""],
    "cflags!": ["-O3"],
    "cflags_cc!": ["-std=gnu++14", "-std=gnu++17", "-std=gnu++20"],
    "cflags": ["-O2", "-g0"],
    "cflags_cc": [
      "-std=c++20", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
      "-ffunction-sections", "-fdata-sections", "-fvisibility=hidden"
    ]
  },
  "targets": [
    {
      "target_name": "nsbox_core",
      "type": "static_library",
      "sources": ["<@(core_sources)"]
    },
    {
      "target_name": "nsbox",
      "dependencies": ["nsbox_core"],
      "include_dirs": ["native"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc": ["-isystem <!(node -p \"require('path').resolve(require('node-addon-api').include_dir)\")"],
      "sources": ["<!@(ls native/addon/*.cc)"],
      "ldflags": ["-static-libstdc++", "-static-libgcc", "-Wl,--gc-sections", "-Wl,-z,now", "-s"]
    },
    {
      "target_name": "nsbox-runtime",
      "type": "executable",
      "sources": ["<@(core_sources)", "<!@(ls native/runtime/*.cc native/runtime/*/*.cc)"],
      "defines": ["NSBOX_FREESTANDING"],
      "cflags!": ["-fPIC", "-pthread", "-O2"],
      "cflags": [
        "-Os",
        "-fno-pic", "-fno-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables",
        "-fno-tree-loop-distribute-patterns", "-fcf-protection=none"
      ],
      "cflags_cc": ["-fno-threadsafe-statics", "-fno-use-cxa-atexit"],
      "ldflags!": ["-rdynamic", "-pthread"],
      "libraries!": ["-lpthread", "-ldl", "-lm"],
      "ldflags": [
        "-static", "-nostdlib", "-nostartfiles", "-no-pie", "-Wl,--gc-sections", "-Wl,--build-id=none",
        "-Wl,-z,noseparate-code", "-Wl,-z,noexecstack", "-s"
      ],
      "conditions": [
        ["target_arch=='arm64'", { "cflags!": ["-fcf-protection=none"], "cflags": ["-mno-outline-atomics"] }]
      ]
    }
  ]
}
