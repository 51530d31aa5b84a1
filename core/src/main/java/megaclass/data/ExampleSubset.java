// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import megaclass.internal.Checksum;
import megaclass.internal.GrowingMemory;
import megaclass.internal.LittleEndian;

/** Some of the examples of a set, in their order: four or eight bytes off-heap for each. */
final class ExampleSubset {
  private final MemorySegment examples;
  private final boolean wide;
  private final long size;

  private ExampleSubset(MemorySegment examples, boolean wide) {
    this.examples = examples;
    this.wide = wide;
    this.size = examples.byteSize() / (wide ? Long.BYTES : Integer.BYTES);
  }

  long size() {
    return size;
  }

  /** The number in the whole set of the subset's {@code i}-th example. */
  long example(long i) {
    Objects.checkIndex(i, size);
    return wide
        ? examples.get(LittleEndian.LONG, i * Long.BYTES)
        : examples.get(LittleEndian.INT, i * Integer.BYTES);
  }

  long hash() {
    return Checksum.ofSection(examples);
  }

  /** Gathers a subset of a set of a known size. */
  static final class Builder implements AutoCloseable {
    private final GrowingMemory examples = new GrowingMemory();
    private final boolean wide;

    Builder(long numExamples) {
      this.wide = numExamples > Integer.MAX_VALUE;
    }

    void add(long example) {
      if (wide) {
        examples.appendLong(example);
      } else {
        examples.appendInt((int) example);
      }
    }

    ExampleSubset build(Arena arena) {
      return new ExampleSubset(examples.copy(arena), wide);
    }

    @Override
    public void close() {
      examples.close();
    }
  }
}
