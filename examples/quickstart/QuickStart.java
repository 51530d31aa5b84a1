import module megaclass.core;

void main() {
  var config =
      TrainConfig.defaults()
          .withDim(64)
          .withLoss(Loss.cosFace(32, 0.2)) // scale s, margin m
          .withSelector(SelectorSpec.parse("uniform(0.05)")) // 5 % of the classes in each step
          .withEpochs(3);

  // 20 000 classes in families of confusable ones, 64 features, 20 examples a class
  var planted = PlantedClasses.defaults().withNumClasses(20_000).withDim(64);
  var file = Path.of("quickstart.mcm");

  try (var data = Dataset.synthetic(planted)) {
    var split = data.split(0.1, 7);
    try (var classifier = new Trainer(config).fit(split.train(), _ -> {})) {
      IO.println(classifier.evaluate(split.test())); // top-1, top-5, mean loss
      classifier.save(file);
    }
    try (var served = Classifier.load(file)) { // memory-mapped, read-only
      for (var p : served.predict(split.test().features(0), 5)) {
        IO.println("%-12s %.3f".formatted(p.label(), p.score()));
      }
    }
  }
}
