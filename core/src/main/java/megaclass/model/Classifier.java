// SPDX-License-Identifier: Apache-2.0
package megaclass.model;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ObjLongConsumer;
import megaclass.backbone.Backbone;
import megaclass.backbone.BackboneSpec;
import megaclass.backbone.BagBackbone;
import megaclass.backbone.FrozenBackbone;
import megaclass.backbone.NetworkProvider;
import megaclass.backbone.Networks;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.data.Dataset;
import megaclass.data.FeatureKind;
import megaclass.data.ImageShape;
import megaclass.eval.Evaluation;
import megaclass.eval.Evaluator;
import megaclass.eval.Prediction;
import megaclass.eval.Recall;
import megaclass.openset.EmbeddingSet;
import org.jspecify.annotations.Nullable;

/**
 * A trained classifier: predicts the classes of new examples, exactly, over all classes; or, where
 * an index is asked for ({@link #searchThroughIndex}), as many of the best ones as wished.
 *
 * <p>Thread-safe: one call works at a time, with all threads. Must be closed, which frees or unmaps
 * its memory.
 */
public final class Classifier implements AutoCloseable {
  /** Images that go through a network at once, at most. */
  private static final int NETWORK_BATCH = 128;

  private final ModelParts model;
  private final Engine engine;
  private final Backbone backbone;
  private final Arena arena;
  private @Nullable Evaluator evaluator;
  private int evaluatorK;
  private @Nullable Recall recall;

  /** A classifier of these parts, which it owns from now on. */
  public Classifier(ModelParts model, Engine engine) {
    this(model, engine, Arena.ofShared());
  }

  private Classifier(ModelParts model, Engine engine, Arena arena) {
    this.model = model;
    this.engine = engine;
    this.arena = arena;
    this.backbone = backbone(model, engine);
  }

  private static Backbone backbone(ModelParts model, Engine engine) {
    RowMatrix table = model.table();
    return switch (model.backbone()) {
      case BackboneSpec.Bag bag when table != null -> new BagBackbone(bag, table, 0, engine);
      case BackboneSpec.Bag _ -> throw new IllegalArgumentException("a bag needs its table");
      case BackboneSpec.Frozen _ -> new FrozenBackbone(model.weights().dim());
      case BackboneSpec.Network spec -> network(spec, model, engine);
    };
  }

  private static Backbone network(BackboneSpec.Network spec, ModelParts model, Engine engine) {
    ModelParts.Network network = Objects.requireNonNull(model.network(), "no network in the model");
    var problem =
        new NetworkProvider.Problem(
            spec,
            model.weights().dim(),
            network.images(),
            NETWORK_BATCH,
            null,
            0,
            engine.workers().threads());
    Backbone made = Networks.provider(spec).open(problem);
    made.restore(_ -> network.bytes());
    return made;
  }

  /** Loads a model file with all processors and the fastest backend. */
  public static Classifier load(Path file) {
    return load(file, Runtime.getRuntime().availableProcessors(), "auto");
  }

  /**
   * Maps a model file and verifies all of its bytes.
   *
   * @param threads at least 1
   * @param backend "auto", "vector" or "scalar"
   * @throws java.io.UncheckedIOException with one sentence that starts with the file, if it is
   *     missing, no model file, damaged or of a newer version
   */
  public static Classifier load(Path file, int threads, String backend) {
    Arena arena = Arena.ofShared();
    try {
      ModelParts model = ModelFile.read(file, arena);
      return new Classifier(model, Engine.start(backend, threads), arena);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /**
   * From now on looks for the best classes through an index over the class weights, once {@link
   * megaclass.eval.IndexedScorer#SAMPLES} examples are there to measure what it finds, and if it
   * costs less than scoring all classes; else all are scored. Scores stay exact; probabilities and
   * the loss, which take all classes, are no longer known. An index is built anew for another k.
   */
  public synchronized void searchThroughIndex(Recall recall) {
    this.recall = recall;
    closeEvaluator();
  }

  /** Writes the model file; it has its name only when all of it is on the disk. */
  public synchronized void save(Path file) {
    ModelFile.write(file, model);
  }

  /**
   * Predicts the classes of a text.
   *
   * @param k how many classes, best first, at least 1
   */
  public List<Prediction> predict(String text, int k) {
    return predict(Dataset.of(new String[] {text}, new String[] {"unknown"}), k);
  }

  /**
   * Predicts the classes of dense features.
   *
   * @param features (dim)
   * @param k how many classes, best first, at least 1
   */
  public List<Prediction> predict(float[] features, int k) {
    return predict(Dataset.of(new float[][] {features}, new String[] {"unknown"}), k);
  }

  /**
   * Predicts the classes of an image.
   *
   * @param pixels (C, H, W) bytes, of {@link #imageShape}
   * @param k how many classes, best first, at least 1
   */
  public List<Prediction> predictImage(byte[] pixels, int k) {
    var one = new byte[][] {pixels};
    return predict(Dataset.ofImages(imageShape(), one, new String[] {"unknown"}), k);
  }

  private List<Prediction> predict(Dataset one, int k) {
    var result = new ArrayList<Prediction>();
    try (one) {
      predictAll(one, k, (predictions, _) -> result.addAll(predictions));
    }
    return List.copyOf(result);
  }

  /**
   * Predicts the classes of all examples of a set; its own labels play no part.
   *
   * @param k how many classes, best first, at least 1
   * @param consumer gets the predictions of each example and its number, in order
   */
  public synchronized void predictAll(
      Dataset examples, int k, ObjLongConsumer<List<Prediction>> consumer) {
    requireMatchingFeatures(examples);
    Evaluator scores = evaluator(k);
    scores.forEachBatch(
        examples,
        (batch, _, _) -> {
          for (int i = 0; i < batch.size(); i++) {
            consumer.accept(scores.predictions(model.labels(), i), batch.example(i));
          }
        });
  }

  /** Evaluates on all examples of a set, with the five best classes. */
  public Evaluation evaluate(Dataset test) {
    return evaluate(test, 5, Long.MAX_VALUE);
  }

  /**
   * Evaluates on held-out examples, exactly over all classes, or through an index if one was asked
   * for.
   *
   * @param test has the classes of this model, in its order
   * @param k for top-k accuracy
   * @param maxExamples at most so many; a random sample, always the same, if there are more
   * @throws IllegalArgumentException when the set has other classes or features than the model
   */
  public synchronized Evaluation evaluate(Dataset test, int k, long maxExamples) {
    requireMatchingFeatures(test);
    requireSameClasses(test);
    return evaluator(k).evaluate(test, model.trainCounts(), maxExamples);
  }

  /**
   * The embeddings of all examples of a set, whose classes the model need not know. They must be
   * closed, before this classifier; what measures them works with its threads, one at a time, and
   * not while it evaluates or predicts.
   *
   * @throws IllegalArgumentException when the set has other features than the model
   * @throws ArithmeticException when an embedding has no direction
   */
  public synchronized EmbeddingSet embed(Dataset examples) {
    requireMatchingFeatures(examples);
    return EmbeddingSet.of(backbone, examples, engine);
  }

  private Evaluator evaluator(int k) {
    Evaluator current = evaluator;
    if (current == null || evaluatorK != k) {
      closeEvaluator();
      var parts = new Evaluator.Model(backbone, model.weights(), model.loss());
      current = new Evaluator(parts, k, recall, engine);
      evaluator = current;
      evaluatorK = k;
    }
    return current;
  }

  /** Should making the next one fail, this one must not be used again. */
  private void closeEvaluator() {
    Evaluator old = evaluator;
    if (old != null) {
      evaluator = null;
      old.close();
    }
  }

  private void requireMatchingFeatures(Dataset data) {
    if (data.kind() != featureKind()) {
      throw new IllegalArgumentException(
          "the model takes %s features, but %s holds %s features"
              .formatted(name(featureKind()), data.description(), name(data.kind())));
    }
    if (data.kind() == FeatureKind.DENSE && data.featureDim() != dim()) {
      throw new IllegalArgumentException(
          "the model takes rows of %d features, but those of %s have %d"
              .formatted(dim(), data.description(), data.featureDim()));
    }
    if (data.kind() == FeatureKind.IMAGE && !data.imageShape().equals(imageShape())) {
      throw new IllegalArgumentException(
          "the model takes images of %s, but those of %s have %s; convert them to the same shape"
              .formatted(imageShape(), data.description(), data.imageShape()));
    }
  }

  private static String name(FeatureKind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  private void requireSameClasses(Dataset data) {
    if (data.numClasses() != numClasses()) {
      throw new IllegalArgumentException(
          "the model has %,d classes, but %s has %,d; convert both data files together, so that they share their classes"
              .formatted(numClasses(), data.description(), data.numClasses()));
    }
    for (int c = 0; c < numClasses(); c++) {
      if (data.labels().utf8(c).mismatch(model.labels().utf8(c)) != -1) {
        throw new IllegalArgumentException(
            "class %d is \"%s\" in the model, but \"%s\" in %s; convert both data files together, so that they share their classes"
                .formatted(c, label(c), data.labels().label(c), data.description()));
      }
    }
  }

  /** Number of classes. */
  public int numClasses() {
    return model.weights().numClasses();
  }

  /** Floats of an embedding. */
  public int dim() {
    return model.weights().dim();
  }

  /** What the model takes: text, dense rows or images. */
  public FeatureKind featureKind() {
    return model.backbone().features();
  }

  /**
   * Shape of the images that a model of a network takes.
   *
   * @throws IllegalStateException when it takes other features
   */
  public ImageShape imageShape() {
    ModelParts.Network network = model.network();
    if (network == null) {
      throw new IllegalStateException(
          "the model takes " + featureKind().inWords() + ", not images");
    }
    return network.images();
  }

  /** Label of a class. */
  public String label(int classId) {
    return model.labels().label(classId);
  }

  /** How the model came about: settings, data and versions, by name. */
  public Map<String, String> provenance() {
    return model.provenance();
  }

  @Override
  public synchronized void close() {
    closeEvaluator();
    backbone.close();
    engine.close();
    model.weights().close();
    if (model.table() != null) {
      model.table().close();
    }
    arena.close();
  }
}
