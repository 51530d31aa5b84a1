// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import megaclass.backbone.BackboneSpec;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Settings;
import megaclass.cli.source.RunData;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.data.ImageShape;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainConfig;
import org.jspecify.annotations.Nullable;

/**
 * What a run will do and need, known before anything is allocated.
 *
 * @param settings all of them, with those that the data decides
 * @param config those of the trainer
 * @param data the examples
 * @param memory bytes by term
 * @param memoryLimit bytes the run may take
 */
public record RunPlan(
    Settings settings, TrainConfig config, RunData data, MemoryPlan memory, long memoryLimit) {

  /**
   * The plan for these settings and data: text takes a bag, images a small network, dense rows
   * decide the dim.
   */
  public static RunPlan of(Settings wanted, RunData data) {
    var settings = wanted;
    var kind = data.train().kind();
    if (kind == FeatureKind.TEXT && wanted.given(RunSettings.BACKBONE).isEmpty()) {
      settings = settings.with(RunSettings.BACKBONE, BackboneSpec.parse("bag"));
    }
    if (data.train().kind() == FeatureKind.IMAGE && wanted.given(RunSettings.BACKBONE).isEmpty()) {
      settings = settings.with(RunSettings.BACKBONE, BackboneSpec.parse("smallnet"));
    }
    boolean dimIsGiven = wanted.given(RunSettings.DIM).isPresent();
    if (settings.get(RunSettings.BACKBONE) instanceof BackboneSpec.Frozen
        && kind == FeatureKind.DENSE
        && !dimIsGiven) {
      settings = settings.with(RunSettings.DIM, data.train().featureDim());
    }
    var config = settings.trainConfig();
    var memory =
        MemoryPlan.of(config, data.train().numClasses(), data.fileBytes(), images(data.train()));
    long limit = settings.get(RunSettings.MEMORY);
    return new RunPlan(settings, config, data, memory, limit == 0 ? Memory.available() : limit);
  }

  /** Refuses what does not fit into memory. */
  public void requireFits() {
    Memory.require(
        config, new Memory.Data(data.train().numClasses(), images(data.train())), memoryLimit);
  }

  private static @Nullable ImageShape images(Dataset train) {
    return train.kind() == FeatureKind.IMAGE ? train.imageShape() : null;
  }

  /** Steps of an epoch. */
  public long stepsPerEpoch() {
    return Math.ceilDiv(data.train().numExamples(), config.batchSize());
  }
}
