// SPDX-License-Identifier: Apache-2.0
package megaclass.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class GrowingMemoryTest {
  @Property(tries = 100)
  void bytesStandInTheOrderTheyWereAppended(@ForAll List<byte[]> parts) {
    var expected = new ByteArrayOutputStream();
    try (var memory = new GrowingMemory();
        var arena = Arena.ofConfined()) {
      for (var part : parts) {
        memory.append(part);
        memory.append(part);
        expected.writeBytes(part);
        expected.writeBytes(part);
      }
      assertEquals(expected.size(), memory.size());
      assertArrayEquals(expected.toByteArray(), memory.bytes().toArray(ValueLayout.JAVA_BYTE));
      var copy = memory.copy(arena);
      assertEquals(0, copy.address() % 64);
      assertArrayEquals(expected.toByteArray(), copy.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void numbersAreLittleEndianAndSurviveGrowth() {
    try (var memory = new GrowingMemory()) {
      var expected = ByteBuffer.allocate(16 * 10_000).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < 10_000; i++) {
        memory.appendInt(i);
        memory.append(new float[] {i});
        memory.appendLong(-i);
        expected.putInt(i).putFloat(i).putLong(-i);
      }
      assertArrayEquals(expected.array(), memory.bytes().toArray(ValueLayout.JAVA_BYTE));
      memory.setLong(8, 77);
      assertEquals(77, memory.getLong(8));
    }
  }
}
