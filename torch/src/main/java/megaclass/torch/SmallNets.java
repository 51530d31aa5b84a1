// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import megaclass.backbone.BackboneSpec;
import megaclass.data.ImageShape;
import megaclass.torch.Layers.Convolution;
import megaclass.torch.Layers.Layer;

/** Networks of plain convolutions and poolings. */
final class SmallNets {
  /**
   * Channels of the convolutions of a Hynet, stage by stage; a pooling follows each but the last.
   */
  private static final int[][] HYNET = {
    {32, 64}, {64, 64, 96, 128}, {128, 128, 160, 160, 192, 256}, {256, 256, 256, 512}, {512}
  };

  private static final int HYNET_OUT = 256;

  private SmallNets() {}

  /** Three blocks of two convolutions and a pooling, then all that is left in one product. */
  static Layer small(BackboneSpec.SmallNet spec, ImageShape images, int dim, Layers layers) {
    long channels = images.channels();
    Layer net = (x, _) -> x;
    for (int block = 0; block < 3; block++) {
      long width = (long) spec.width() << block;
      for (int i = 0; i < 2; i++) {
        String name = "block%d.%d".formatted(block, i);
        net = net.then(rectified(name, new Convolution(channels, width, 3, 1), layers));
        channels = width;
      }
      net = net.then(Layers.maxPooling(2, 2, 0));
    }
    long features = channels * (images.height() >> 3) * (images.width() >> 3);
    return net.then(Layers.flatten())
        .then(Layers.dropout(spec.dropout()))
        .then(layers.linear("embedding", features, dim))
        .then(layers.normalisation("neck", dim, false));
  }

  /** The layout that the authors of HF-Softmax published. */
  static Layer hynet(BackboneSpec.Hynet spec, ImageShape images, int dim, Layers layers) {
    long channels = images.channels();
    Layer net = (x, _) -> x;
    for (int stage = 0; stage < HYNET.length; stage++) {
      for (int i = 0; i < HYNET[stage].length; i++) {
        String name = "stage%d.%d".formatted(stage, i);
        int width = HYNET[stage][i];
        net = net.then(rectified(name, new Convolution(channels, width, 3, 1), layers));
        channels = width;
      }
      if (stage < HYNET.length - 1) {
        net = net.then(Layers.maxPooling(2, 2, 0));
      }
    }
    net = net.then(rectified("last", new Convolution(channels, HYNET_OUT, 1, 1), layers));
    long features = (long) HYNET_OUT * (images.height() >> 4) * (images.width() >> 4);
    return net.then(Layers.flatten())
        .then(Layers.dropout(spec.dropout()))
        .then(layers.linear("embedding", features, dim));
  }

  private static Layer rectified(String name, Convolution shape, Layers layers) {
    return layers
        .convolution(name + ".conv", shape)
        .then(layers.normalisation(name + ".norm", shape.out()))
        .then(Layers.relu());
  }
}
