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
    // Channels of a pixel side by side: the layout that convolutions on a processor compute in.
    return whole.apply(images.contiguous(torch.MemoryFormat.ChannelsLast), training);
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  /** Bytes of what all layers give for some images, one after the other. */
  long counted(Tensor images) {
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
