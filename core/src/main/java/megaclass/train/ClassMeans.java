// SPDX-License-Identifier: Apache-2.0
package megaclass.train;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import megaclass.data.Dataset;
import megaclass.data.MiniBatch;
import megaclass.weights.ClassWeights;

/**
 * Class weights as the mean direction of the class's examples: one pass over the data, and the
 * model is a nearest-class-mean classifier before it is trained.
 */
final class ClassMeans {
  /** Classes are dealt to this many parts, each of which adds in the order of the examples. */
  private static final int PARTS = 16;

  private final ClassWeights weights;
  private final Backbone backbone;
  private final Embeddings embeddings;
  private final ComputeBackend backend;
  private final Workers workers;
  private final MemorySegment scratch;

  ClassMeans(ClassWeights weights, Backbone backbone, Embeddings embeddings, Engine engine) {
    this.weights = weights;
    this.backbone = backbone;
    this.embeddings = embeddings;
    this.backend = engine.backend();
    this.workers = engine.workers();
    long rowBytes = 4L * weights.matrix().stride();
    scratch = NativeMemory.allocate(rowBytes * workers.threads(), Arena.ofAuto());
  }

  /** Sets the weights of all classes that have examples; the others keep theirs. */
  void set(Dataset train, int batchSize) {
    var started = new boolean[weights.numClasses()];
    for (long from = 0; from < train.numExamples(); from += batchSize) {
      int size = (int) Math.min(batchSize, train.numExamples() - from);
      MiniBatch batch = MiniBatch.range(train, from, size);
      backbone.read(batch, false);
      embeddings.begin(size);
      backbone.forward(embeddings);
      embeddings.pack(batch);
      int[] targets = targets(batch);
      weights.matrix().fetch(targets.length, i -> targets[i], workers);
      workers.run(PARTS, (part, worker) -> add(batch, part, started, worker));
    }
    int most = weights.matrix().mostFetched();
    for (int from = 0; from < started.length; ) {
      int first = from;
      int count = Math.min(most, started.length - first);
      weights.matrix().fetch(count, i -> first + i, workers);
      workers.run(PARTS, (part, worker) -> finish(first, first + count, part, started, worker));
      from += count;
    }
  }

  private static int[] targets(MiniBatch batch) {
    return IntStream.range(0, batch.size())
        .mapToObj(batch::example)
        .flatMapToInt(
            example ->
                IntStream.range(0, batch.data().numTargets(example))
                    .map(t -> batch.data().target(example, t)))
        .distinct()
        .toArray();
  }

  private void add(MiniBatch batch, int part, boolean[] started, int worker) {
    RowMatrix rows = weights.matrix();
    for (int i = 0; i < batch.size(); i++) {
      long example = batch.example(i);
      for (int t = 0; t < batch.data().numTargets(example); t++) {
        int classId = batch.data().target(example, t);
        if (classId % PARTS == part) {
          long row = rows.change(classId, scratch(worker), backend);
          if (!started[classId]) {
            started[classId] = true;
            backend.scaled(row, 0f, rows.stride(), row);
          }
          backend.addScaled(embeddings.row(i), 1f, rows.stride(), row);
          rows.write(classId, row, Long.hashCode(example), backend);
        }
      }
    }
  }

  private long scratch(int worker) {
    return scratch.address() + 4L * weights.matrix().stride() * worker;
  }

  /** To unit length; the column of a bias, into which the constants were added, starts at 0. */
  private void finish(int from, int to, int part, boolean[] started, int worker) {
    RowMatrix rows = weights.matrix();
    for (int c = from; c < to; c++) {
      if (c % PARTS == part && started[c]) {
        if (weights.bias()) {
          rows.set(c, weights.dim(), 0f);
        }
        long row = rows.change(c, scratch(worker), backend);
        float squares = backend.dot(row, row, rows.stride());
        if (squares > 0) {
          backend.scaled(row, (float) (1 / Math.sqrt(squares)), rows.stride(), row);
          rows.write(c, row, c, backend);
        }
      }
    }
  }
}
