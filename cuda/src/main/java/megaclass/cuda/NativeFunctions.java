// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The functions of a C library that take integers and pointers and return an int, called by name.
 * How a function is called follows from the arguments of its first call: an {@code Integer} is a
 * 32-bit parameter, a {@code Long} a 64-bit one or a pointer of the device or a handle, a {@code
 * MemorySegment} a pointer to memory of the host. All CUDA functions that we use are of this kind.
 *
 * <p>Thread-safe.
 */
final class NativeFunctions {
  private static final int LONGEST_TEXT = 4096;

  private final SymbolLookup library;
  private final Map<String, MethodHandle> handles = new ConcurrentHashMap<>();

  NativeFunctions(SymbolLookup library) {
    this.library = library;
  }

  /** Whether the library has a function of that name. */
  boolean has(String name) {
    return library.find(name).isPresent();
  }

  /**
   * Calls a function.
   *
   * @return what it returns: 0 for success
   * @throws CudaException when the library has no such function
   */
  int call(String name, Object... arguments) {
    var handle = handles.computeIfAbsent(name, _ -> bind(name, arguments));
    try {
      return (int) handle.invokeExact(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(name + " could not be called: " + e, e);
    }
  }

  /** What a function that turns a code into a constant text returns; without it the code itself. */
  String text(String name, int code) {
    if (!has(name)) {
      return "error " + code;
    }
    var handle =
        Linker.nativeLinker().downcallHandle(find(name), FunctionDescriptor.of(ADDRESS, JAVA_INT));
    try {
      return string((MemorySegment) handle.invokeExact(code));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(name + " could not be called: " + e, e);
    }
  }

  /** The text that a pointer of C leads to; "?" when it leads nowhere. */
  static String string(MemorySegment pointer) {
    return pointer.address() == 0 ? "?" : pointer.reinterpret(LONGEST_TEXT).getString(0);
  }

  private MemorySegment find(String name) {
    return library
        .find(name)
        .orElseThrow(
            () ->
                new CudaException(
                    "the installed CUDA libraries have no function "
                        + name
                        + "; Megaclass needs CUDA 12 or 13"));
  }

  private MethodHandle bind(String name, Object... arguments) {
    var layouts =
        Arrays.stream(arguments).map(NativeFunctions::layout).toArray(MemoryLayout[]::new);
    var handle =
        Linker.nativeLinker().downcallHandle(find(name), FunctionDescriptor.of(JAVA_INT, layouts));
    return handle.asSpreader(Object[].class, arguments.length);
  }

  private static MemoryLayout layout(Object argument) {
    return switch (argument) {
      case Integer _ -> JAVA_INT;
      case Long _ -> JAVA_LONG;
      case MemorySegment _ -> ADDRESS;
      default -> throw new IllegalArgumentException("cannot pass a " + argument.getClass());
    };
  }
}
