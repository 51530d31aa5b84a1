// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.lang.foreign.MemorySegment;
import org.bytedeco.pytorch.Tensor;

/** What turns images into embeddings: a function and the tensors that it is made of. */
interface Network extends AutoCloseable {
  /**
   * Computes embeddings; what it makes on the way is freed by the caller's scope.
   *
   * @param images (batch, channels, height, width)
   * @param training whether dropout is on and normalisations take the statistics of the batch
   * @return (batch, dim)
   */
  Tensor forward(Tensor images, boolean training);

  /** Its tensors. */
  Parameters parameters();

  /** What it needs besides its tensors to be made again; nothing for a network of ours. */
  default MemorySegment program() {
    return MemorySegment.NULL;
  }

  /**
   * Bytes that training keeps of some images between forward and backward, about; 0 where that
   * cannot be seen.
   *
   * @param images (batch, channels, height, width)
   */
  default long activationBytes(Tensor images) {
    return 0;
  }

  @Override
  void close();
}
