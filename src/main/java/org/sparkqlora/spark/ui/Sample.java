package org.sparkqlora.spark.ui;

/**
 * What the model says to a prompt, and what it said before it trained.
 *
 * @param beforeStep after which {@code before} was said; 0 is the base model
 * @param afterStep after which {@code after} was said
 */
public record Sample(String prompt, long beforeStep, String before, long afterStep, String after) {}
