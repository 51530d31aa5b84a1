// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import megaclass.internal.LittleEndian;
import megaclass.torch.Parameters.Named;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors as bytes, as docs/formats.md has them: a program, how many tensors, and of each its name,
 * type, sizes and values. Equal tensors give equal bytes.
 */
final class TensorBytes {
  private TensorBytes() {}

  /** Writes a program, which may be empty, and tensors. */
  static MemorySegment write(MemorySegment program, List<Named> tensors) {
    var out = new ByteArrayOutputStream();
    putBytes(out, program.toArray(ValueLayout.JAVA_BYTE));
    putInt(out, tensors.size());
    for (Named named : tensors) {
      putBytes(out, named.name().getBytes(UTF_8));
      putBytes(out, type(named).getBytes(UTF_8));
      long[] shape = Tensors.shape(named.tensor());
      putInt(out, shape.length);
      for (long size : shape) {
        putInt(out, Math.toIntExact(size));
      }
      try (var _ = new PointerScope()) {
        Tensor values = named.tensor().detach().contiguous();
        out.writeBytes(Tensors.memory(values).toArray(ValueLayout.JAVA_BYTE));
      }
    }
    return MemorySegment.ofArray(out.toByteArray());
  }

  private static void putInt(ByteArrayOutputStream out, int value) {
    var bytes = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value);
    out.writeBytes(bytes.array());
  }

  private static void putBytes(ByteArrayOutputStream out, byte[] bytes) {
    putInt(out, bytes.length);
    out.writeBytes(bytes);
  }

  private static String type(Named named) {
    return named.tensor().scalar_type().toString();
  }

  /** The program of what {@link #write} gave. */
  static MemorySegment program(MemorySegment bytes) {
    return new Reader(bytes).bytes();
  }

  /**
   * Fills tensors with the values of those that {@link #write} was given.
   *
   * @throws IllegalArgumentException when they are others; a part of a sentence
   */
  static void read(MemorySegment bytes, List<Named> into) {
    var in = new Reader(bytes);
    in.bytes(); // the program
    int count = in.integer();
    if (count != into.size()) {
      throw new IllegalArgumentException(
          "is of another network: %d tensors, not %d".formatted(count, into.size()));
    }
    for (Named named : into) {
      read(in, named);
    }
  }

  private static void read(Reader in, Named named) {
    String name = in.text();
    String type = in.text();
    var shape = new long[in.integer()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = in.integer();
    }
    long[] wanted = Tensors.shape(named.tensor());
    if (!name.equals(named.name()) || !type.equals(type(named)) || !Arrays.equals(shape, wanted)) {
      throw new IllegalArgumentException(
          "is of another network: it has %s %s %s, not %s %s"
              .formatted(
                  type, name, Arrays.toString(shape), named.name(), Arrays.toString(wanted)));
    }
    Tensors.memory(named.tensor()).copyFrom(in.next(named.tensor().nbytes()));
  }

  /** Reads one thing after the other. */
  private static final class Reader {
    private final MemorySegment bytes;
    private long at;

    Reader(MemorySegment bytes) {
      this.bytes = bytes;
    }

    MemorySegment next(long size) {
      if (size < 0 || size > bytes.byteSize() - at) {
        throw new IllegalArgumentException("is cut short");
      }
      var next = bytes.asSlice(at, size);
      at += size;
      return next;
    }

    int integer() {
      return next(Integer.BYTES).get(LittleEndian.INT, 0);
    }

    MemorySegment bytes() {
      return next(integer());
    }

    String text() {
      return new String(bytes().toArray(ValueLayout.JAVA_BYTE), UTF_8);
    }
  }
}
