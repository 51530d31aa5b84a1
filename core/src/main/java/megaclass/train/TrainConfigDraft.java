// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import megaclass.backbone.BackboneSpec;
import megaclass.backbone.NetworkTraining;
import megaclass.compute.RowFormat;
import megaclass.head.Precision;
import megaclass.loss.Loss;
import megaclass.optim.LearningRate;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import megaclass.weights.Initialisation;
import org.jspecify.annotations.Nullable;

/**
 * The components of a {@link TrainConfig} as variables, so that a {@code with} method names only
 * the one it changes.
 */
final class TrainConfigDraft {
  BackboneSpec backbone;
  int dim;
  RowFormat dtype;
  long weightsMemory;
  long deviceMemory;
  Initialisation initialisation;
  Loss loss;
  SelectorSpec selector;
  OptimizerSpec optimizer;
  double learningRate;
  double backboneLearningRate;
  NetworkTraining network;
  LearningRate schedule;
  @Nullable LearningRate backboneSchedule;
  double epochs;
  int batchSize;
  int neighbourhood;
  long seed;
  int threads;
  String backend;
  Precision devicePrecision;
  int deviceNumber;
  int deviceCount;

  TrainConfigDraft(TrainConfig from) {
    backbone = from.backbone();
    dim = from.dim();
    dtype = from.dtype();
    weightsMemory = from.weightsMemory();
    deviceMemory = from.deviceMemory();
    initialisation = from.initialisation();
    loss = from.loss();
    selector = from.selector();
    optimizer = from.optimizer();
    learningRate = from.learningRate();
    backboneLearningRate = from.backboneLearningRate();
    network = from.network();
    schedule = from.schedule();
    backboneSchedule = from.backboneSchedule();
    epochs = from.epochs();
    batchSize = from.batchSize();
    neighbourhood = from.neighbourhood();
    seed = from.seed();
    threads = from.threads();
    backend = from.backend();
    devicePrecision = from.devicePrecision();
    deviceNumber = from.deviceNumber();
    deviceCount = from.deviceCount();
  }

  TrainConfig toConfig() {
    return new TrainConfig(
        backbone,
        dim,
        dtype,
        weightsMemory,
        deviceMemory,
        initialisation,
        loss,
        selector,
        optimizer,
        learningRate,
        backboneLearningRate,
        network,
        schedule,
        backboneSchedule,
        epochs,
        batchSize,
        neighbourhood,
        seed,
        threads,
        backend,
        devicePrecision,
        deviceNumber,
        deviceCount);
  }
}
