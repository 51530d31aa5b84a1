// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import megaclass.backbone.BackboneSpec;
import megaclass.data.ImageShape;
import megaclass.torch.Layers.Convolution;
import megaclass.torch.Layers.Layer;

/** Residual networks, in the layouts that photographs and faces have made usual. */
final class ResNets {
  private static final int STAGES = 4;
  private static final int STEM = 64;

  /** Of the first convolutions of a face network: as its authors start it. */
  private static final double FACE_DEVIATION = 0.1;

  private final Layers layers;

  ResNets(Layers layers) {
    this.layers = layers;
  }

  /** As torchvision has it, up to its last layer, which gives the embedding. */
  Layer photo(BackboneSpec.ResNet spec, ImageShape images, int dim) {
    boolean bottleneck = spec.depth() >= 50;
    int[] blocks =
        switch (spec.depth()) {
          case 18 -> new int[] {2, 2, 2, 2};
          case 101 -> new int[] {3, 4, 23, 3};
          default -> new int[] {3, 4, 6, 3};
        };
    Layer net =
        layers
            .convolution("stem.conv", new Convolution(images.channels(), STEM, 7, 2))
            .then(layers.normalisation("stem.norm", STEM))
            .then(Layers.relu())
            .then(Layers.maxPooling(3, 2, 1));
    int channels = STEM;
    for (int stage = 0; stage < STAGES; stage++) {
      int inner = STEM << stage;
      int out = bottleneck ? 4 * inner : inner;
      for (int block = 0; block < blocks[stage]; block++) {
        String name = "stage%d.%d".formatted(stage, block);
        int stride = stage > 0 && block == 0 ? 2 : 1;
        Layer branch =
            bottleneck
                ? bottleneck(name, channels, inner, stride)
                : basic(name, channels, inner, stride);
        Layer around = around(name, channels, out, stride);
        net = net.then(Layers.residual(branch, around)).then(Layers.relu());
        channels = out;
      }
    }
    return net.then(Layers.meanPooling())
        .then(Layers.flatten())
        .then(Layers.dropout(spec.dropout()))
        .then(layers.linear("embedding", channels, dim));
  }

  private Layer basic(String name, int in, int out, int stride) {
    return normalised(name + ".a", new Convolution(in, out, 3, stride))
        .then(Layers.relu())
        .then(normalised(name + ".b", new Convolution(out, out, 3, 1)));
  }

  private Layer bottleneck(String name, int in, int inner, int stride) {
    return normalised(name + ".a", new Convolution(in, inner, 1, 1))
        .then(Layers.relu())
        .then(normalised(name + ".b", new Convolution(inner, inner, 3, stride)))
        .then(Layers.relu())
        .then(normalised(name + ".c", new Convolution(inner, 4L * inner, 1, 1)));
  }

  private Layer around(String name, int in, int out, int stride) {
    return in == out && stride == 1
        ? (x, _) -> x
        : normalised(name + ".around", new Convolution(in, out, 1, stride));
  }

  private Layer normalised(String name, Convolution shape) {
    return layers
        .convolution(name + ".conv", shape)
        .then(layers.normalisation(name + ".norm", shape.out()));
  }

  /** As InsightFace has it: a stem that keeps the size, and a neck that normalises embeddings. */
  Layer face(BackboneSpec.FaceResNet spec, ImageShape images, int dim) {
    int[] blocks =
        switch (spec.depth()) {
          case 18 -> new int[] {2, 2, 2, 2};
          case 34 -> new int[] {3, 4, 6, 3};
          case 50 -> new int[] {3, 4, 14, 3};
          default -> new int[] {3, 13, 30, 3};
        };
    Layer net =
        faceNormalised("stem", new Convolution(images.channels(), STEM, 3, 1))
            .then(layers.prelu("stem.slope", STEM));
    int channels = STEM;
    long height = images.height();
    long width = images.width();
    for (int stage = 0; stage < STAGES; stage++) {
      int out = STEM << stage;
      for (int block = 0; block < blocks[stage]; block++) {
        String name = "stage%d.%d".formatted(stage, block);
        int stride = block == 0 ? 2 : 1;
        Layer around =
            stride == 1
                ? (x, _) -> x
                : faceNormalised(name + ".around", new Convolution(channels, out, 1, stride));
        net = net.then(Layers.residual(improved(name, channels, out, stride), around));
        channels = out;
      }
      height = (height + 1) / 2;
      width = (width + 1) / 2;
    }
    return net.then(layers.normalisation("last.norm", channels))
        .then(Layers.flatten())
        .then(Layers.dropout(spec.dropout()))
        .then(layers.linear("embedding", channels * height * width, dim))
        .then(layers.normalisation("neck", dim, false));
  }

  private Layer improved(String name, int in, int out, int stride) {
    return layers
        .normalisation(name + ".norm", in)
        .then(faceNormalised(name + ".a", new Convolution(in, out, 3, 1)))
        .then(layers.prelu(name + ".slope", out))
        .then(faceNormalised(name + ".b", new Convolution(out, out, 3, stride)));
  }

  private Layer faceNormalised(String name, Convolution shape) {
    return layers
        .convolution(name + ".conv", shape, FACE_DEVIATION)
        .then(layers.normalisation(name + ".norm", shape.out()));
  }
}
