// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NativeFunctionsTest {
  @Test
  void argumentsOfAllTypesArriveInRegistersAndOnTheStack() {
    var seen = new ArrayList<Object[]>();
    var functions =
        new NativeFunctions(
            new FakeLibrary()
                .with(
                    "f",
                    "ilpilpilpilp",
                    a -> {
                      seen.add(a);
                      return 7;
                    }));
    var pointer = MemorySegment.ofAddress(0xfedcba9876543210L);
    Object[] arguments = {
      -1,
      Long.MIN_VALUE,
      pointer,
      Integer.MIN_VALUE,
      -1L,
      MemorySegment.NULL,
      Integer.MAX_VALUE,
      1L << 40,
      pointer,
      0,
      0x123456789abcdef0L,
      pointer
    };
    for (int call = 0; call < 3; call++) {
      assertEquals(7, functions.call("f", arguments));
    }
    for (Object[] arrived : seen) {
      assertArrayEquals(arguments, arrived);
    }
    assertEquals(3, seen.size());
  }

  @Test
  void aFunctionWithoutParametersCanBeCalled() {
    assertEquals(-3, new NativeFunctions(new FakeLibrary().with("f", "", _ -> -3)).call("f"));
  }

  @Test
  void aMissingFunctionIsNamed() {
    var functions = new NativeFunctions(new FakeLibrary());
    assertEquals(
        "the installed CUDA libraries have no function cuInit; Megaclass needs CUDA 12 or 13",
        assertThrows(CudaException.class, () -> functions.call("cuInit", 0)).getMessage());
  }

  @Test
  void aValueThatCHasNoTypeForIsRefused() {
    var functions = new NativeFunctions(new FakeLibrary().with("f", "i", _ -> 0));
    assertEquals(
        "cannot pass a class java.lang.Float",
        assertThrows(IllegalArgumentException.class, () -> functions.call("f", 1f)).getMessage());
  }

  @Test
  void aTextIsReadOrItsCodeGiven() {
    var functions =
        new NativeFunctions(new FakeLibrary().withText("name", code -> "ERROR_" + code));
    assertEquals(
        List.of("ERROR_5", "error 5"),
        List.of(functions.text("name", 5), functions.text("other", 5)));
  }
}
