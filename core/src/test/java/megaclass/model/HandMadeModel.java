// SPDX-License-Identifier: Apache-2.0
package megaclass.model;

import java.util.LinkedHashMap;
import java.util.List;
import megaclass.TestBackend;
import megaclass.backbone.BackboneSpec;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.data.Labels;
import megaclass.internal.Hash;
import megaclass.loss.Loss;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/** Small models whose values are written down in a formula: the same for ever. */
final class HandMadeModel {
  static final List<String> LABELS = List.of("kot", "żółw", "mama", "mieć");
  static final int DIM = 5;

  private HandMadeModel() {}

  /** Takes rows of 5 floats; 4 classes. */
  static Classifier dense(String loss, boolean velocity) {
    return dense(loss, velocity, RowFormat.FP32);
  }

  /** The same in another format, which holds all of its numbers. */
  static Classifier dense(String loss, boolean velocity, RowFormat format) {
    return new Classifier(
        parts(Loss.parse(loss), new BackboneSpec.Frozen(), velocity, format),
        Engine.start(TestBackend.NAME, 2));
  }

  /** Takes texts; 4 classes. */
  static Classifier text() {
    return new Classifier(
        parts(
            Loss.parse("arcface(scale=16, margin=0.2)"),
            BackboneSpec.parse("bag(chars=2-3, words=1, buckets=64, dropout=0.1)"),
            true,
            RowFormat.FP32),
        Engine.start(TestBackend.NAME, 2));
  }

  private static ModelParts parts(
      Loss loss, BackboneSpec backbone, boolean velocity, RowFormat format) {
    var state = new RowMatrix.State(velocity, false, velocity);
    var weights = ClassWeights.allocate(LABELS.size(), DIM, loss.bias(), state, format);
    fill(weights.matrix(), 1);
    @Nullable RowMatrix table = null;
    if (backbone instanceof BackboneSpec.Bag bag) {
      table = new RowMatrix(bag.buckets(), DIM, state);
      fill(table, 2);
    }
    var provenance = new LinkedHashMap<String, String>();
    provenance.put("seed", "1");
    provenance.put("data", "by hand, \\ on\ntwo lines");
    provenance.put("a-first-by-letter", "but third here");
    return new ModelParts(
        loss,
        backbone,
        weights,
        table,
        null,
        Labels.of(LABELS),
        new long[] {7, 0, 1L << 40, 3},
        provenance);
  }

  /** Multiples of 1/8 in [-2, 2). */
  private static void fill(RowMatrix matrix, long seed) {
    for (int row = 0; row < matrix.numRows(); row++) {
      for (int j = 0; j < matrix.width(); j++) {
        matrix.set(row, j, ((Hash.key(seed, row, j) >>> 59) - 16) / 8f);
      }
      if (matrix.state().velocity()) { // must not reach the file
        matrix.setLastStep(row, 9);
      }
    }
  }
}
