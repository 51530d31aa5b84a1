// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A network made of {@link Layers}. */
final class LayeredNetwork implements Network {
  private final Parameters parameters;
  private final Layers layers;
  private final Layers.Layer whole;

  LayeredNetwork(Parameters parameters, Layers layers, Layers.Layer whole) {
    this.parameters = parameters;
    this.layers = layers;
    this.whole = whole;
  }

  @Override
  public Tensor forward(Tensor images, boolean training) {
    return whole.apply(channelsLast(images), training);
  }

  /**
   * Channels of a pixel side by side: the layout that convolutions on a processor compute in, and
   * hand on. With one channel both layouts are the same memory, but LibTorch reads the layout off
   * the strides.
   */
  private static Tensor channelsLast(Tensor images) {
    if (images.size(1) > 1) {
      return images.contiguous(torch.MemoryFormat.ChannelsLast);
    }
    long[] sizes = Tensors.shape(images);
    return images.as_strided(sizes, new long[] {sizes[2] * sizes[3], 1, sizes[3], 1});
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public long activationBytes(Tensor images) {
    long before = layers.bytesGiven();
    try (var _ = new PointerScope()) {
      forward(images, false);
    }
    return layers.bytesGiven() - before;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
