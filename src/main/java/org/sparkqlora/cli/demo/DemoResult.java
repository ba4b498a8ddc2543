package org.sparkqlora.cli.demo;

/**
 * How a model does on what it was not fine-tuned on.
 *
 * @param loss over the held-out rows
 * @param answer to the sample question
 */
public record DemoResult(double loss, String answer) {}
