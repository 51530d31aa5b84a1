// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The compiler of kernels, NVRTC. It needs neither a driver nor a device. Thread-safe. */
final class Nvrtc {
  private final NativeFunctions functions;

  Nvrtc(NativeFunctions functions) {
    this.functions = functions;
  }

  /** Major and minor version, as "13.0". */
  String version() {
    try (var arena = Arena.ofConfined()) {
      var major = arena.allocate(JAVA_INT);
      var minor = arena.allocate(JAVA_INT);
      check("nvrtcVersion", functions.call("nvrtcVersion", major, minor));
      return major.get(JAVA_INT, 0) + "." + minor.get(JAVA_INT, 0);
    }
  }

  /**
   * Compiles a file of kernels to machine code.
   *
   * @param options among them the architecture, as "--gpu-architecture=sm_90"
   * @return a cubin
   * @throws CudaException with the log of the compiler when it does not compile
   */
  byte[] compile(KernelSource source, List<String> options) {
    try (var arena = Arena.ofConfined()) {
      long program = create(source, arena);
      try {
        int code =
            functions.call("nvrtcCompileProgram", program, options.size(), strings(options, arena));
        if (code != 0) {
          throw new CudaException(
              "%s does not compile (%s):\n%s"
                  .formatted(source.fileName(), error(code), log(program, arena)));
        }
        return cubin(program, arena);
      } finally {
        destroy(program, arena);
      }
    }
  }

  private long create(KernelSource source, Arena arena) {
    var program = arena.allocate(JAVA_LONG);
    check(
        "nvrtcCreateProgram",
        functions.call(
            "nvrtcCreateProgram",
            program,
            arena.allocateFrom(source.text()),
            arena.allocateFrom(source.fileName()),
            1,
            strings(List.of(source.header()), arena),
            strings(List.of(KernelSource.HEADER), arena)));
    return program.get(JAVA_LONG, 0);
  }

  private void destroy(long program, Arena arena) {
    var pointer = arena.allocateFrom(JAVA_LONG, program);
    check("nvrtcDestroyProgram", functions.call("nvrtcDestroyProgram", pointer));
  }

  private String log(long program, Arena arena) {
    var size = arena.allocate(JAVA_LONG);
    check("nvrtcGetProgramLogSize", functions.call("nvrtcGetProgramLogSize", program, size));
    var log = arena.allocate(size.get(JAVA_LONG, 0) + 1);
    check("nvrtcGetProgramLog", functions.call("nvrtcGetProgramLog", program, log));
    return log.getString(0).strip();
  }

  private byte[] cubin(long program, Arena arena) {
    var size = arena.allocate(JAVA_LONG);
    check("nvrtcGetCUBINSize", functions.call("nvrtcGetCUBINSize", program, size));
    var cubin = arena.allocate(size.get(JAVA_LONG, 0));
    check("nvrtcGetCUBIN", functions.call("nvrtcGetCUBIN", program, cubin));
    return cubin.toArray(JAVA_BYTE);
  }

  private static MemorySegment strings(List<String> strings, Arena arena) {
    var pointers = arena.allocate(ADDRESS, strings.size());
    for (int i = 0; i < strings.size(); i++) {
      pointers.setAtIndex(ADDRESS, i, arena.allocateFrom(strings.get(i)));
    }
    return pointers;
  }

  private void check(String call, int code) {
    if (code != 0) {
      throw new CudaException(call, "NVRTC error " + code, error(code));
    }
  }

  private String error(int code) {
    return functions.text("nvrtcGetErrorString", code);
  }
}
