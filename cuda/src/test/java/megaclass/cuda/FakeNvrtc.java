// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * NVRTC's interface with a compiler that knows nothing: its machine code is the source, the header
 * and the options as text. A source with #error does not compile.
 */
final class FakeNvrtc {
  private static final int COMPILATION_ERROR = 6;
  private static final String LOG = "kernels.cu(1): error: #error \"so\"";

  /** How many programs were compiled, and how many are not yet destroyed. */
  int compiled;

  int open;

  private int minor;
  private final List<String> programs = new ArrayList<>();
  private final FakeLibrary library = new FakeLibrary();

  /** NVRTC 13.MINOR. */
  FakeNvrtc(int minor) {
    this.minor = minor;
    library
        .with("nvrtcVersion", "pp", this::version)
        .with("nvrtcCreateProgram", "pppipp", this::create)
        .with("nvrtcCompileProgram", "lip", this::compile)
        .with("nvrtcGetCUBINSize", "lp", a -> putSize(a, programs.get(index(a[0])).length()))
        .with("nvrtcGetCUBIN", "lp", a -> put(a, programs.get(index(a[0]))))
        .with("nvrtcGetProgramLogSize", "lp", a -> putSize(a, LOG.length() + 1))
        .with("nvrtcGetProgramLog", "lp", a -> put(a, LOG + "\0"))
        .with("nvrtcDestroyProgram", "p", this::destroy)
        .withText("nvrtcGetErrorString", code -> code == 6 ? "NVRTC_ERROR_COMPILATION" : "?");
  }

  NativeFunctions functions() {
    return new NativeFunctions(library);
  }

  Nvrtc compiler() {
    return new Nvrtc(functions());
  }

  private int version(Object... a) {
    FakeLibrary.putInt(a[0], 13);
    FakeLibrary.putInt(a[1], minor);
    return 0;
  }

  private int create(Object... a) {
    String source = FakeLibrary.textAt(a[1]);
    String headers = "";
    for (int i = 0; i < (int) a[3]; i++) {
      headers += string(a[5], i) + ":\n" + string(a[4], i);
    }
    programs.add(FakeLibrary.textAt(a[2]) + ":\n" + source + headers);
    FakeLibrary.putLong(a[0], programs.size());
    open++;
    return 0;
  }

  private int compile(Object... a) {
    int program = index(a[0]);
    compiled++;
    String options = "";
    for (int i = 0; i < (int) a[1]; i++) {
      options += "\n" + string(a[2], i);
    }
    programs.set(program, programs.get(program) + options);
    return programs.get(program).contains("#error") ? COMPILATION_ERROR : 0;
  }

  private int destroy(Object... a) {
    open--;
    FakeLibrary.putLong(a[0], 0);
    return 0;
  }

  private static int putSize(Object[] a, int size) {
    FakeLibrary.putLong(a[1], size);
    return 0;
  }

  private static int put(Object[] a, String text) {
    var bytes = MemorySegment.ofArray(text.getBytes(UTF_8));
    ((MemorySegment) a[1]).reinterpret(bytes.byteSize()).copyFrom(bytes);
    return 0;
  }

  private static int index(Object program) {
    return (int) (long) program - 1;
  }

  private static String string(Object pointers, int index) {
    var pointer = ((MemorySegment) pointers).reinterpret(8L * (index + 1));
    return FakeLibrary.textAt(pointer.getAtIndex(ADDRESS, index));
  }
}
