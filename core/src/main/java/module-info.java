// SPDX-License-Identifier: Apache-2.0

/** Trains, evaluates and serves classifiers with a huge number of classes. Needs only the JDK. */
module megaclass.core {
  requires static jdk.incubator.vector;
  requires static transitive org.jspecify;

  exports megaclass.backbone;
  exports megaclass.data;
  exports megaclass.eval;
  exports megaclass.head;
  exports megaclass.image;
  exports megaclass.index;
  exports megaclass.loss;
  exports megaclass.model;
  exports megaclass.openset;
  exports megaclass.optim;
  exports megaclass.select;
  exports megaclass.train;
  exports megaclass.weights;
  exports megaclass.compute to
      megaclass.bench,
      megaclass.cli,
      megaclass.cuda,
      megaclass.testkit,
      megaclass.torch;
  exports megaclass.internal to
      megaclass.bench,
      megaclass.cli,
      megaclass.cuda,
      megaclass.formats,
      megaclass.testkit,
      megaclass.torch;

  uses megaclass.backbone.NetworkProvider;
  uses megaclass.head.HeadProvider;
}
