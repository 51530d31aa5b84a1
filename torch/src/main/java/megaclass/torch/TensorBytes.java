// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import megaclass.torch.Parameters.Named;
import org.bytedeco.pytorch.Tensor;

/**
 * Tensors as bytes: a program, how many tensors, and of each its name, type, sizes and values.
 * Equal tensors give equal bytes.
 */
final class TensorBytes {
  /** As a DataOutputStream writes it. */
  private static final ValueLayout.OfInt SIZE =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private TensorBytes() {}

  /** Writes a program, which may be empty, and tensors. */
  static MemorySegment write(MemorySegment program, List<Named> tensors) {
    var bytes = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(bytes)) {
      out.writeInt(Math.toIntExact(program.byteSize()));
      out.write(program.toArray(ValueLayout.JAVA_BYTE));
      out.writeInt(tensors.size());
      for (Named named : tensors) {
        write(named, out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return MemorySegment.ofArray(bytes.toByteArray());
  }

  private static void write(Named named, DataOutputStream out) throws IOException {
    out.writeUTF(named.name());
    out.writeUTF(named.tensor().scalar_type().toString());
    long[] shape = Tensors.shape(named.tensor());
    out.writeInt(shape.length);
    for (long size : shape) {
      out.writeLong(size);
    }
    try (Tensor values = named.tensor().detach().contiguous()) {
      out.write(Tensors.memory(values).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /** The program of what {@link #write} gave. */
  static MemorySegment program(MemorySegment bytes) {
    return bytes.asSlice(Integer.BYTES, bytes.get(SIZE, 0));
  }

  /**
   * Fills tensors with the values of those that {@link #write} was given.
   *
   * @throws IllegalArgumentException when they are others; a part of a sentence
   */
  static void read(MemorySegment bytes, List<Named> into) {
    var tensors = bytes.asSlice(Integer.BYTES + program(bytes).byteSize());
    try (var in = new DataInputStream(new SegmentStream(tensors))) {
      int count = in.readInt();
      if (count != into.size()) {
        throw new IllegalArgumentException(
            "is of another network: %d tensors, not %d".formatted(count, into.size()));
      }
      for (Named named : into) {
        read(in, named);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("is cut short", e);
    }
  }

  private static void read(DataInputStream in, Named named) throws IOException {
    String name = in.readUTF();
    String type = in.readUTF();
    var shape = new long[in.readInt()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = in.readLong();
    }
    long[] wanted = Tensors.shape(named.tensor());
    if (!name.equals(named.name())
        || !type.equals(named.tensor().scalar_type().toString())
        || !Arrays.equals(shape, wanted)) {
      throw new IllegalArgumentException(
          "is of another network: it has %s %s %s, not %s %s"
              .formatted(
                  type, name, Arrays.toString(shape), named.name(), Arrays.toString(wanted)));
    }
    var values = in.readNBytes(Math.toIntExact(named.tensor().nbytes()));
    if (values.length < named.tensor().nbytes()) {
      throw new IllegalArgumentException("is cut short");
    }
    Tensors.memory(named.tensor()).copyFrom(MemorySegment.ofArray(values));
  }
}
