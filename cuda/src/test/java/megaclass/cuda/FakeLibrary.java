// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A C library written in Java: native code calls its functions like any other. So the binding is
 * tested through the calling convention of the machine, without a compiler at hand.
 */
final class FakeLibrary implements SymbolLookup {
  /** A function; pointers arrive as segments without bounds. */
  interface Body {
    int call(Object... arguments);
  }

  /** A function that turns a code into a text. */
  interface Text {
    String of(int code);
  }

  private static final int FAILED = 999;

  private final Arena arena = Arena.ofAuto();
  private final Map<String, MemorySegment> functions = new HashMap<>();

  /**
   * Adds a function, or replaces one.
   *
   * @param parameters their types in C, a letter each: i is 32 bits, l is 64 bits or a handle, p is
   *     a pointer to memory of the host
   */
  FakeLibrary with(String name, String parameters, Body body) {
    var layouts = parameters.chars().mapToObj(FakeLibrary::layout).toArray(MemoryLayout[]::new);
    var descriptor = FunctionDescriptor.of(JAVA_INT, layouts);
    try {
      var handle =
          MethodHandles.lookup()
              .findVirtual(Body.class, "call", MethodType.methodType(int.class, Object[].class))
              .bindTo(guarded(body))
              .asCollector(Object[].class, layouts.length)
              .asType(descriptor.toMethodType());
      functions.put(name, Linker.nativeLinker().upcallStub(handle, descriptor, arena));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
    return this;
  }

  /** Native code cannot carry an exception: it would end the process. */
  private static Body guarded(Body body) {
    return arguments -> {
      try {
        return body.call(arguments);
      } catch (RuntimeException | AssertionError e) {
        System.err.println("a function of the fake library failed: " + e);
        return FAILED;
      }
    };
  }

  /** Adds a function that returns a constant text. */
  FakeLibrary withText(String name, Text text) {
    var descriptor = FunctionDescriptor.of(ADDRESS, JAVA_INT);
    try {
      var handle =
          MethodHandles.lookup()
              .findVirtual(
                  FakeLibrary.class,
                  "text",
                  MethodType.methodType(MemorySegment.class, Text.class, int.class))
              .bindTo(this)
              .bindTo(text);
      functions.put(name, Linker.nativeLinker().upcallStub(handle, descriptor, arena));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
    return this;
  }

  /** Called through a handle. */
  MemorySegment text(Text text, int code) {
    return arena.allocateFrom(text.of(code));
  }

  FakeLibrary without(String name) {
    functions.remove(name);
    return this;
  }

  @Override
  public Optional<MemorySegment> find(String name) {
    return Optional.ofNullable(functions.get(name));
  }

  /** A constant text, as C gives it out. */
  MemorySegment string(String text) {
    return arena.allocateFrom(text);
  }

  /** Writes 64 bits where a pointer leads. */
  static void putLong(Object pointer, long value) {
    ((MemorySegment) pointer).reinterpret(8).set(JAVA_LONG, 0, value);
  }

  static void putInt(Object pointer, int value) {
    ((MemorySegment) pointer).reinterpret(4).set(JAVA_INT, 0, value);
  }

  static void putAddress(Object pointer, MemorySegment value) {
    ((MemorySegment) pointer).reinterpret(8).set(ADDRESS, 0, value);
  }

  /** The text that a pointer leads to. */
  static String textAt(Object pointer) {
    return ((MemorySegment) pointer).reinterpret(1 << 20).getString(0);
  }

  private static MemoryLayout layout(int letter) {
    return switch (letter) {
      case 'i' -> JAVA_INT;
      case 'l' -> JAVA_LONG;
      case 'p' -> ADDRESS;
      default -> throw new IllegalArgumentException("no type " + (char) letter);
    };
  }
}
