// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Bridges between memory segments and tensors; nothing is copied. */
final class Tensors {
  private Tensors() {}

  /** An address as JavaCPP knows it, without ownership. */
  private static final class Address extends FloatPointer {
    Address(long address, long floats) {
      super((Pointer) null);
      this.address = address;
      limit = floats;
      capacity = floats;
    }
  }

  /**
   * A tensor over memory that outlives it.
   *
   * @param address of its first float
   * @param shape its sizes
   * @param strides floats from one index to the next, as many
   */
  static Tensor over(long address, long[] shape, long[] strides) {
    long floats = 1;
    for (int i = 0; i < shape.length; i++) {
      floats += (shape[i] - 1) * strides[i];
    }
    try (var pointer = new Address(address, floats)) {
      return torch.from_blob(pointer, shape, strides);
    }
  }

  /** Strides of rows that lie without gaps. */
  static long[] strides(long... shape) {
    var strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strides;
  }

  /** The memory of a contiguous tensor, as long as the tensor lives. */
  static MemorySegment memory(Tensor tensor) {
    if (!tensor.is_contiguous()) {
      throw new IllegalStateException("the tensor is not contiguous");
    }
    return MemorySegment.ofAddress(tensor.data_ptr().address()).reinterpret(tensor.nbytes());
  }

  /** Sizes of a tensor. */
  static long[] shape(Tensor tensor) {
    var shape = new long[Math.toIntExact(tensor.dim())];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }
}
