// One training of one network: batches, epochs, evaluation and early stopping, in one call or in many.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "checks.h"
#include "normalised.h"
#include "order.h"

namespace wirenas {

struct Plan {
  int epochs = 1;
  int batch_size = 64;
  int patience = 0;  // 0: none
  double clip = 0;   // 0: none
  bool maximize = true;
  bool normalise = false;  // Only of feed-forward networks.
  Update update;
};

// Trainings that are running now, in all threads.
inline std::atomic<int> n_running{0};

struct Running {
  Running() { ++n_running; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { --n_running; }
};

struct EpochScore {
  double train_loss, validation_loss, validation_metric;
};

template <typename Real>
class Training {
 public:
  Training(std::shared_ptr<const Network> network, std::shared_ptr<const Data<Real>> data, const Kernels<Real>& kernels,
           const Plan& plan, std::vector<double> rates, std::vector<int64_t> train, std::vector<int64_t> validation,
           std::vector<int64_t> to_fold, Aligned<Real> parameters)
      : network_(std::move(network)),
        data_(std::move(data)),
        kernels_(kernels),
        plan_(plan),
        rates_(std::move(rates)),
        train_(std::move(train)),
        validation_(std::move(validation)),
        to_fold_(std::move(to_fold)),
        parameters_(std::move(parameters)) {
    if (plan.normalise) {
      n_gamma_ = network_->n_rows() - network_->n_outputs;
      parameters_.resize(parameters_.size() + size_t(n_gamma_), Real(1));
      factors_.resize(size_t(n_gamma_));
    }
    gradients_.resize(parameters_.size());
    first_.resize(parameters_.size());
    second_.resize(plan.update.optimizer == Optimizer::sgd ? 0 : parameters_.size());
    make_passes();
    if (data_->is_sequence()) {
      std::vector<int64_t> buffer;
      sort_by_length(validation_.data(), int(validation_.size()), data_->lengths, buffer);
    }
    steps_per_epoch_ = (int64_t(train_.size()) + plan.batch_size - 1) / plan.batch_size;
  }

  // Make updates until `last` of them are made in all, the training is over, or the time is up. A large network is
  // worked on by up to `n_threads` threads, or its share of them where other trainings run; results are the same.
  void run(int64_t last, double seconds, BitGenerator& generator, int n_threads) {
    using Clock = std::chrono::steady_clock;
    const Running running;
    Sharing sharing(*this, threads_of(n_threads));
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (step_ < last && !finished_) {
      update(generator);
      if (step_ % steps_per_epoch_ == 0) end_epoch();
      if (Clock::now() >= end) return;
      heed_signals();
    }
  }

  // The examples of the next update.
  std::vector<int64_t> next_batch(BitGenerator& generator) {
    draw_order(generator);
    const int64_t* const first = order_.data() + step_ % steps_per_epoch_ * plan_.batch_size;
    return {first, first + next_size()};
  }

  // Count the next update without making it.
  void skip(BitGenerator& generator) {
    draw_order(generator);
    ++step_;
    if (step_ % steps_per_epoch_ == 0) end_epoch();
  }

  // Go on with another structure, whose moments begin at zero, but for those of gamma, which stays what it is. The best
  // epoch so far belongs to the old one.
  void rewire(std::shared_ptr<const Network> network, Aligned<Real> parameters) {
    normalised_.reset();
    passes_.reset();
    network_ = std::move(network);
    make_passes();
    const size_t n_places = parameters.size(), n_gamma = size_t(n_gamma_);
    const auto with_gamma = [&](const Aligned<Real>& old, Aligned<Real> made) {
      made.resize(n_places + n_gamma);
      std::copy(old.end() - n_gamma_, old.end(), made.begin() + int64_t(n_places));
      return made;
    };
    parameters_ = with_gamma(parameters_, std::move(parameters));
    gradients_ = Aligned<Real>(parameters_.size());
    first_ = with_gamma(first_, {});
    if (!second_.empty()) second_ = with_gamma(second_, {});
    is_folded_ = false;
    first_epoch_ = int(epochs_.size());
  }

  // Have the parameters of the plain network at hand, on up to `n_threads` threads.
  void fold(int n_threads) {
    if (n_gamma_ == 0 || is_folded_) return;
    const Running running;
    Sharing sharing(*this, threads_of(n_threads));
    fold();
  }

  // The parameters of the network as it is evaluated and kept, and what weights of its hidden neurons were multiplied
  // by for that, where the training normalises; both as of the last time that it was folded.
  const Aligned<Real>& folded() const { return n_gamma_ == 0 ? parameters_ : folded_; }
  const std::vector<Real>& factors() const { return factors_; }
  // The first of as many as there are factors.
  const Real* gamma() const { return parameters_.data() + parameters_.size() - n_gamma_; }

  int64_t step() const { return step_; }
  int64_t n_steps() const { return plan_.epochs * steps_per_epoch_; }
  bool finished() const { return finished_; }
  bool diverged() const { return diverged_; }
  const std::vector<EpochScore>& epochs() const { return epochs_; }
  Aligned<Real>& parameters() { return parameters_; }
  const Aligned<Real>& parameters() const { return parameters_; }
  // The optimizer's moments: the mean of the gradients or the momentum, and with Adam the mean of their squares.
  std::vector<Aligned<Real>*> moments() {
    return second_.empty() ? std::vector{&first_} : std::vector{&first_, &second_};
  }
  const Network& network() const { return *network_; }
  bool is_sparse() const { return data_->is_sparse(); }
  int best_epoch() const { return best_epoch_; }

 private:
  int threads_of(int n_threads) const { return network_->stretches().empty() ? 1 : std::max(n_threads / n_running, 1); }

  void make_passes() {
    passes_.emplace(*network_, *data_, kernels_);
    if (n_gamma_ > 0) normalised_.emplace(*network_, *passes_, kernels_);
  }

  void fold() {
    if (n_gamma_ == 0 || is_folded_) return;
    folded_.resize(size_t(network_->n_places()));
    normalised_->fold(parameters_.data(), gamma(), to_fold_.data(), int(to_fold_.size()), folded_, factors_.data());
    is_folded_ = true;
  }

  void draw_order(BitGenerator& generator) {
    if (step_ % steps_per_epoch_ != 0 || drawn_ == step_) return;
    drawn_ = step_;
    places_.resize(train_.size());
    order_.resize(train_.size());
    shuffler_.draw(generator, int64_t(train_.size()), places_.data());
    for (size_t i = 0; i < order_.size(); ++i) order_[i] = train_[size_t(places_[i])];
    epoch_loss_ = 0;
    epoch_size_ = 0;
  }

  int next_size() const {
    const int64_t first = step_ % steps_per_epoch_ * plan_.batch_size;
    return int(std::min<int64_t>(plan_.batch_size, int64_t(train_.size()) - first));
  }

  // Threads, for as long as this lives.
  struct Sharing {
    Sharing(Training& training, int n_threads) : training(training) {
      if (n_threads < 2) return;
      training.team_.emplace(n_threads);
      training.passes_->share_with(&*training.team_);
    }
    Sharing(const Sharing&) = delete;
    Sharing& operator=(const Sharing&) = delete;
    ~Sharing() {
      training.passes_->share_with(nullptr);
      training.team_.reset();
    }
    Training& training;
  };

  void update(BitGenerator& generator) {
    draw_order(generator);
    const int64_t first = step_ % steps_per_epoch_ * plan_.batch_size;
    const int size = next_size();
    int64_t* const examples = order_.data() + first;
    epoch_loss_ += n_gamma_ == 0 ? passes_->gradients(parameters_.data(), examples, size, gradients_.data())
                                 : normalised_->gradients(parameters_.data(), gamma(), examples, size,
                                                          gradients_.data(), gradients_.data() + network_->n_places());
    is_folded_ = false;
    epoch_size_ += size;
    if (plan_.clip > 0) kernels_.clip(gradients_.data(), int64_t(gradients_.size()), plan_.clip);
    Update update = plan_.update;
    update.rate = rates_[size_t(step_)];
    ++step_;
    update.step = ++updates_;
    const auto update_part = [&](int64_t begin, int64_t end) {
      kernels_.update(parameters_.data() + begin, gradients_.data() + begin, first_.data() + begin,
                      second_.empty() ? nullptr : second_.data() + begin, end - begin, update);
    };
    const int64_t count = int64_t(parameters_.size());
    if (!team_)
      update_part(0, count);
    else
      team_->each((count + kUpdatedTogether - 1) / kUpdatedTogether,
                  [&](int64_t i) { update_part(i * kUpdatedTogether, std::min((i + 1) * kUpdatedTogether, count)); });
  }

  // Losses are summed in double, but a sum that a Real cannot hold has diverged, as it has where sums are Reals.
  static bool is_finite(double sum) { return std::abs(sum) <= double(std::numeric_limits<Real>::max()); }

  void end_epoch() {
    // Of the examples that were learnt from.
    const double train_loss = epoch_loss_ / (double(std::max<int64_t>(epoch_size_, 1)) * data_->steps_per_example);
    fold();
    const Score score = passes_->evaluate(folded().data(), validation_.data(), int64_t(validation_.size()));
    if (!is_finite(epoch_loss_) || !is_finite(score.loss * double(validation_.size()))) {
      diverged_ = finished_ = true;
      return;
    }
    epochs_.push_back({train_loss, score.loss, score.metric});
    finished_ = step_ == n_steps();
    if (plan_.patience > 0) keep_best();
  }

  void keep_best() {
    const int latest = int(epochs_.size()) - 1;
    const double sign = plan_.maximize ? 1 : -1;
    if (latest == first_epoch_ ||
        sign * epochs_.back().validation_metric > sign * epochs_[size_t(best_epoch_)].validation_metric) {
      best_epoch_ = latest;
      best_ = parameters_;
    }
    finished_ = finished_ || latest - best_epoch_ >= plan_.patience;
    if (!finished_) return;
    is_folded_ = is_folded_ && latest == best_epoch_;
    parameters_ = best_;
  }

  static constexpr int64_t kUpdatedTogether = 1 << 16;

  std::optional<Team> team_;
  std::shared_ptr<const Network> network_;
  std::shared_ptr<const Data<Real>> data_;
  const Kernels<Real>& kernels_;
  std::optional<Passes<Real>> passes_;
  std::optional<NormalisedPasses<Real>> normalised_;
  Plan plan_;
  std::vector<double> rates_;
  std::vector<int64_t> train_, validation_, to_fold_, order_, places_;
  // Those of the network, and then gamma, one a hidden neuron, where the training normalises.
  Aligned<Real> parameters_, gradients_, first_, second_, best_;
  Aligned<Real> folded_;
  std::vector<Real> factors_;
  int n_gamma_ = 0;
  bool is_folded_ = false;
  std::vector<EpochScore> epochs_;
  Shuffler shuffler_;
  // Updates that were made, in contrast to steps, some of which were skipped.
  int64_t steps_per_epoch_ = 1, step_ = 0, updates_ = 0, drawn_ = -1, epoch_size_ = 0;
  int best_epoch_ = 0, first_epoch_ = 0;
  double epoch_loss_ = 0;
  bool finished_ = false, diverged_ = false;
};

}  // namespace wirenas
