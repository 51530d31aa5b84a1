// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.SplittableRandom;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.cuda.DeviceSelection.Proposed;
import megaclass.index.BinaryIvf;
import megaclass.index.Rotation;
import megaclass.internal.Hash;

/**
 * Times the choice of active classes by an inverted file, as {@link GpuSpeed} does: of random rows,
 * at the settings that {@code ivf(rate)} has for so many classes.
 */
final class SearchSpeed {
  private static final long SEED = 1;

  private final GpuSpeed speed;
  private final Device device;
  private final int numClasses;
  private final int numActive;

  SearchSpeed(GpuSpeed speed, Device device, int numClasses, int numActive) {
    this.speed = speed;
    this.device = device;
    this.numClasses = numClasses;
    this.numActive = numActive;
  }

  void print(int batch, int dim) {
    int numLists = (int) Math.round(2 * Math.sqrt(numClasses));
    int numProbes = Math.max(8, numLists / 32);
    int perSample = Math.max(16, Math.ceilDiv(4 * numActive, batch));
    var settings =
        new BinaryIvf.Settings(numLists, numProbes, perSample, 1000, BinaryIvf.Code.RABITQ);
    try (var engine = Engine.start("scalar", 1);
        var matrix = new RowMatrix(numClasses, dim, RowMatrix.State.NONE, RowFormat.FP32);
        var workers = new Workers(1)) {
      matrix.randomise(1, dim, SEED, workers);
      var rotation = new Rotation(dim, DeviceIvf.rotationSeed(SEED), engine.backend());
      try (var rows = new DeviceRows(device, matrix);
          var sort = new DeviceSort(device);
          var selection = new DeviceSelection(device, numClasses, sort);
          var ivf =
              new DeviceIvf(
                  device, new DeviceIndexedRows(rows, true), settings, SEED, rotation, sort)) {
        long start = System.nanoTime();
        ivf.build();
        double built = (System.nanoTime() - start) * 1e-9;
        GpuSpeed.line("inverted file, built", built, numClasses / built * 1e-6, "M classes/s");
        print(ivf, selection, rows, batch, (double) numProbes * numClasses / numLists);
      }
    }
  }

  private void print(
      DeviceIvf ivf, DeviceSelection selection, DeviceRows rows, int batch, double probed) {
    long embeddings = rows.address(); // the first rows stand for embeddings near classes
    double seconds = speed.seconds(() -> ivf.search(embeddings, batch, 1));
    GpuSpeed.line(
        "search: probes, scan, exact scores",
        seconds,
        batch * probed / seconds * 1e-9,
        "G codes/s");
    speed.bandwidth(
        "codes of moved rows",
        4L * rows.stride() * numActive,
        () -> ivf.moved(RowChoice.range(numClasses - numActive, numActive)));
    seconds = speed.seconds(() -> ivf.endStep(999));
    GpuSpeed.line("repair of the lists of a step", seconds, 1 / seconds, "steps/s");

    int[] targets = new SplittableRandom(SEED).ints(batch, 0, numClasses).toArray();
    try (var onDevice = DeviceArrays.upload(device, targets);
        var scores = device.allocate(4L * batch)) {
      ivf.score(embeddings, onDevice, batch, scores);
      var found = ivf.search(embeddings, batch, 1);
      var proposed = new Proposed(found.ids(), found.scores(), found.perSample(), scores, 16);
      seconds =
          speed.seconds(
              () -> {
                selection.begin(targets, onDevice);
                selection.takeBest(proposed, numActive);
                selection.finish();
              });
      GpuSpeed.line(
          "active classes from candidates",
          seconds,
          (double) batch * found.perSample() / seconds * 1e-6,
          "M candidates/s");
      seconds =
          speed.seconds(
              () -> {
                selection.begin(targets, onDevice);
                selection.fillUniformly(numActive, Hash.key(SEED, 0));
                selection.finish();
              });
      GpuSpeed.line(
          "active classes by uniform draws", seconds, numActive / seconds * 1e-6, "M classes/s");
    }
  }
}
