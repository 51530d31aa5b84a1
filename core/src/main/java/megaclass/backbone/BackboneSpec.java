// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import megaclass.data.FeatureKind;
import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * What turns the features of an example into its embedding. The width of the embedding is a setting
 * of the run, not part of the spec.
 *
 * <p>The text, as in configurations and logs, is {@code bag(chars=2-6, words=1, buckets=2097152,
 * dropout=0.4)} or {@code frozen}; {@code parse(spec.toString())} equals the spec. Specs are
 * immutable values.
 */
public sealed interface BackboneSpec {

  /** Dense features are the embeddings; nothing is learned below the class weights. */
  record Frozen() implements BackboneSpec {
    @Override
    public String toString() {
      return "frozen";
    }
  }

  /**
   * The mean of learned rows, one for each hashed character or word n-gram of a text (the input
   * layer of fastText: Joulin et al. 2017).
   *
   * @param chars lengths of the character n-grams
   * @param words length of the longest word n-gram, in [0, 5]; 0 for none
   * @param buckets rows of the table that n-grams are hashed to, in [1, 2^30]
   * @param dropout share of the n-grams of an example that a training step leaves out, in [0, 1)
   */
  record Bag(CharLengths chars, int words, int buckets, double dropout) implements BackboneSpec {
    public Bag {
      Check.inRange("words", words, 0, 5);
      Check.inRange("buckets", buckets, 1, 1 << 30);
      Check.inRightOpenRange("dropout", dropout, 0.0, 1.0);
      if (chars.max() == 0 && words == 0) {
        throw new IllegalArgumentException(
            "a bag needs n-grams, but chars was 0-0 and words was 0; set one of them");
      }
    }

    @Override
    public String toString() {
      return "bag(chars=%s, words=%s, buckets=%s, dropout=%s)"
          .formatted(chars, words, buckets, SpecText.text(dropout));
    }
  }

  /**
   * A network of layers over images, trained as a whole by a {@link NetworkProvider}: the module
   * torch.
   */
  sealed interface Network extends BackboneSpec {}

  /**
   * Three blocks of two 3x3 convolutions and a pooling, for images of 28 to 64 pixels.
   *
   * @param width channels of the first block, in [1, 1024]; each block doubles them
   * @param dropout share of the last features that a training step leaves out, in [0, 1)
   */
  record SmallNet(int width, double dropout) implements Network {
    public SmallNet {
      Check.inRange("width", width, 1, 1024);
      Check.inRightOpenRange("dropout", dropout, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "smallnet(width=%d, dropout=%s)".formatted(width, SpecText.text(dropout));
    }
  }

  /**
   * A residual network for photographs (He et al. 2016), as torchvision has it.
   *
   * @param depth 18, 34, 50 or 101
   * @param dropout share of the last features that a training step leaves out, in [0, 1)
   */
  record ResNet(int depth, double dropout) implements Network {
    public ResNet {
      Check.oneOf("depth", depth, 18, 34, 50, 101);
      Check.inRightOpenRange("dropout", dropout, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "resnet(depth=%d, dropout=%s)".formatted(depth, SpecText.text(dropout));
    }
  }

  /**
   * The residual network of face recognition, with normalisation before each block and after the
   * embedding (improved residual units and "BN neck": Deng et al. 2019, ArcFace).
   *
   * @param depth 18, 34, 50 or 100
   * @param dropout share of the last features that a training step leaves out, in [0, 1)
   */
  record FaceResNet(int depth, double dropout) implements Network {
    public FaceResNet {
      Check.oneOf("depth", depth, 18, 34, 50, 100);
      Check.inRightOpenRange("dropout", dropout, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "iresnet(depth=%d, dropout=%s)".formatted(depth, SpecText.text(dropout));
    }
  }

  /**
   * The small VGG-like network of HF-Softmax (Zhang et al. 2018): 16 convolutions, four poolings.
   *
   * @param dropout share of the last features that a training step leaves out, in [0, 1)
   */
  record Hynet(double dropout) implements Network {
    public Hynet {
      Check.inRightOpenRange("dropout", dropout, 0.0, 1.0);
    }

    @Override
    public String toString() {
      return "hynet(dropout=%s)".formatted(SpecText.text(dropout));
    }
  }

  /**
   * Any TorchScript module from (batch, channels, height, width) to (batch, dim). Its parameters
   * are trained.
   *
   * @param file where it lies; a trained model has it inside
   */
  record TorchScript(String file) implements Network {
    @Override
    public String toString() {
      return "torchscript(%s)".formatted(file);
    }
  }

  /**
   * Lengths of character n-grams, in code points.
   *
   * @param min the shortest, in [1, max], or 0 when there are none
   * @param max the longest, at most 32, or 0 when there are none
   */
  record CharLengths(int min, int max) {
    public CharLengths {
      Check.inRange("longest of chars", max, 0, 32);
      Check.inRange("shortest of chars", min, Math.min(1, max), max);
    }

    @Override
    public String toString() {
      return min + "-" + max;
    }
  }

  /** What it makes embeddings of. */
  default FeatureKind features() {
    return switch (this) {
      case Frozen _ -> FeatureKind.DENSE;
      case Bag _ -> FeatureKind.TEXT;
      case Network _ -> FeatureKind.IMAGE;
    };
  }

  /**
   * Reads the text of a backbone.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static BackboneSpec parse(String text) {
    return BackboneText.FORMS.parse(text);
  }
}
