// Threads that share out the work on one large network.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace wirenas {

// A fixed number of threads, the caller's among them. What tasks compute must not depend on who does them, or when.
class Team {
 public:
  explicit Team(int n_threads) {
    for (int i = 1; i < n_threads; ++i) threads_.emplace_back([this] { help(); });
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      over_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // Call task(i) for every i below `n_tasks`, on all threads, and return when all are done.
  template <typename Task>
  void each(int64_t n_tasks, const Task& task) {
    if (threads_.empty() || n_tasks < 2) {
      for (int64_t i = 0; i < n_tasks; ++i) task(i);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      task_ = &task;
      call_ = [](const void* own, int64_t i) { (*static_cast<const Task*>(own))(i); };
      n_tasks_ = n_tasks;
      next_ = 0;
      open_ = true;
    }
    wake_.notify_all();
    take();
    std::unique_lock<std::mutex> lock(mutex_);
    open_ = false;  // A thread that wakes up late finds nothing to do.
    done_.wait(lock, [this] { return n_busy_ == 0; });
  }

 private:
  void take() {
    for (int64_t i = next_++; i < n_tasks_; i = next_++) call_(task_, i);
  }

  void help() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return over_ || (open_ && next_ < n_tasks_); });
      if (over_) return;
      ++n_busy_;
      lock.unlock();
      take();
      lock.lock();
      if (--n_busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const void* task_ = nullptr;
  void (*call_)(const void*, int64_t) = nullptr;
  int64_t n_tasks_ = 0;
  std::atomic<int64_t> next_{0};
  int n_busy_ = 0;
  bool open_ = false, over_ = false;
};

}  // namespace wirenas
