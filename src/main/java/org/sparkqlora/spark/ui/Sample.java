package org.sparkqlora.spark.ui;

/**
 * The model's answer to a prompt, and its answer before training.
 *
 * @param beforeStep after which {@code before} was said; 0 is the base model
 * @param afterStep after which {@code after} was said
 */
public record Sample(String prompt, long beforeStep, String before, long afterStep, String after) {}
